//! Where the library is found. Each search runs in a process with an environment of its own.

use super::*;

/// Searches the library in this environment, and says what it found.
#[test]
#[ignore = "a part of other tests"]
fn says_what_it_finds() {
    let opened = of_url(&child::url()).open(&load("1"));
    match opened {
        Ok(_) => println!("found"),
        Err(error) => println!("{}", error.report()),
    }
}

/// Runs the search in a folder, with these variables and no others.
fn search(folder: &Path, variables: &[(&str, &Path)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data.db");
    let url = format!("duckdb:{}", file.display());
    let mut command = child::command(module_path!(), "says_what_it_finds", &url);
    for name in [
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "LD_LIBRARY_PATH",
        "ETLGEN_DUCKDB_LIB",
    ] {
        command.env_remove(name);
    }
    // Manifests of the user are below it.
    command
        .env("HOME", dir.path())
        .env("XDG_CONFIG_HOME", dir.path());
    command.envs(variables.iter().copied()).current_dir(folder);
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn assert_finds(folder: &Path, variables: &[(&str, &Path)]) {
    let told = search(folder, variables);
    assert!(told.lines().any(|line| line.ends_with("found")), "{told}");
}

#[test]
fn the_library_is_found_where_installers_put_it() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path();
    if let Ok(library) = Library::Npm.path() {
        assert_finds(empty, &[("ETLGEN_DUCKDB_LIB", &library)]);
        assert_finds(empty, &[("LD_LIBRARY_PATH", library.parent().unwrap())]);
        let project = Library::Npm.folder().unwrap();
        let inner = project.join("inner");
        fs::create_dir_all(&inner).unwrap();
        assert_finds(&inner, &[]);
        // What `dbc install duckdb` writes.
        let manifests = tempfile::tempdir().unwrap();
        let manifest = format!(
            "manifest_version = 1\nname = 'DuckDB'\nversion = '1.5.5'\n[Driver]\nentrypoint = 'duckdb_adbc_init'\nshared = '{}'\n",
            library.display()
        );
        fs::write(manifests.path().join("duckdb.toml"), manifest).unwrap();
        assert_finds(empty, &[("ADBC_DRIVER_PATH", manifests.path())]);
    }
    if let Ok(library) = Library::Wheel.path() {
        assert_finds(empty, &[("ETLGEN_DUCKDB_LIB", &library)]);
        assert_finds(empty, &[("VIRTUAL_ENV", &Library::Wheel.folder().unwrap())]);
    }
}

#[test]
fn a_machine_without_a_library_is_told_what_was_tried_and_how_to_install_one() {
    let empty = tempfile::tempdir().unwrap();
    let venv = empty.path().join("venv");
    let broken = empty.path().join("libduckdb.so");
    fs::write(&broken, "not a library").unwrap();
    let told = search(empty.path(), &[("VIRTUAL_ENV", &venv)]);
    if told.contains("found\n") && !told.contains("no library") {
        return skip(
            etlgen_testkit::Kind::Tool,
            "this machine has a library of DuckDB",
        );
    }
    for wanted in [
        "no library of DuckDB was found",
        "/etc/adbc/drivers",
        "libduckdb.so",
        "venv/lib/python3*/site-packages/_duckdb*.so: not there",
        "node_modules/@duckdb/node-bindings-",
        "` installs one",
        "?driver=PATH",
        "data.db",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    // A library that is named is the only one that is tried.
    for (variable, path) in [("ETLGEN_DUCKDB_LIB", &broken), ("ETLGEN_DUCKDB_LIB", &venv)] {
        let told = search(empty.path(), &[(variable, path)]);
        assert!(told.contains("cannot be loaded"), "{told}");
        assert!(told.contains(&path.display().to_string()), "{told}");
        assert!(!told.contains("node_modules"), "{told}");
    }
}
