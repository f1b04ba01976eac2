//! A DuckLake whose catalogue is in Postgres, and one whose data is in a bucket.

use etlgen_testkit::{moto, postgres};

use super::*;

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

/// Returns a URL with a catalogue in a schema of its own; none if this machine cannot have it.
fn in_postgres(dir: &Path, schema: &str) -> Option<String> {
    let options = Kind::Lake.options()?;
    match postgres::server() {
        Ok(server) => Some(format!(
            "ducklake:postgres://{}:{}@127.0.0.1:{}/postgres?data={}&schema={schema}{}&{options}",
            postgres::USER,
            server.password,
            server.port,
            dir.display(),
            std::process::id(),
        )),
        Err(why) => {
            skip(etlgen_testkit::Kind::Service, &why);
            None
        }
    }
}

fn commit(number: u64, value: &str) -> [StateChange; 1] {
    [StateChange::Put(StateRow::new(
        "orders",
        "",
        format!("{value}{number}"),
    ))]
}

/// Returns the rows of the table of orders, sorted.
fn orders_of(url: &str) -> Vec<Vec<Value>> {
    let sql = "SELECT _etl_id, n FROM orders ORDER BY 1";
    connect(url, Access::Read).query(sql, &[]).unwrap()
}

fn order(id: &str, n: i64) -> Vec<Value> {
    vec![Value::from(id), Value::Int(n)]
}

#[test]
fn a_catalogue_in_postgres_takes_loads_and_tells_a_run_that_was_overtaken() {
    let dir = tempfile::tempdir().unwrap();
    let Some(url) = in_postgres(dir.path(), "lake") else {
        return;
    };
    assert!(!of_url(&url).exists());
    assert!(of_url(&url).look(&load("1")).unwrap().tables.is_empty());
    let mut first = of_url(&url);
    first.open(&load("1")).unwrap();
    // Postgres itself holds no text with NUL.
    first
        .write(merge(&[("a\u{0}", 1, &[1]), ("b", 2, &[])]))
        .unwrap();
    first
        .commit(&Commit::new(1, &commit(1, "\u{0}"), &LoadStatus::Complete))
        .unwrap();
    drop(first);
    assert!(of_url(&url).exists());
    let mut slow = of_url(&url);
    let memory = slow.open(&load("2")).unwrap();
    assert_eq!(memory.state, [StateRow::new("orders", "", "\u{0}1")]);
    slow.write(merge(&[("b", 9, &[9])])).unwrap();
    let mut fast = of_url(&url);
    fast.open(&load("3")).unwrap();
    fast.write(merge(&[("b", 3, &[3]), ("c", 4, &[])])).unwrap();
    fast.commit(&Commit::new(1, &commit(3, ""), &LoadStatus::Complete))
        .unwrap();
    let error = slow
        .commit(&Commit::new(1, &commit(2, ""), &LoadStatus::Complete))
        .unwrap_err();
    let report = error.report();
    assert!(report.contains("another run has loaded"), "{report}");
    assert!(
        !report.contains(&postgres::server().unwrap().password),
        "{report}"
    );
    assert_eq!(
        orders_of(&url),
        [order("a\u{0}", 1), order("b", 3), order("c", 4)]
    );
    assert_eq!(fast.row_counts().unwrap()[0].1, 3);
    let files = fs::read_dir(dir.path().join("main/orders")).unwrap();
    assert!(
        files.count() > 0,
        "the data is in the folder that the URL names"
    );
}

/// The environment variables of a bucket are those of a process.
#[test]
#[ignore = "a part of other tests"]
fn loads_twice() {
    let url = child::url();
    for (id, n) in [("1", 1), ("2", 2)] {
        let mut open = of_url(&url);
        open.open(&load(id)).unwrap();
        open.write(merge(&[("a", n, &[n]), (id, n, &[])])).unwrap();
        open.commit(&Commit::new(1, &[], &LoadStatus::Complete))
            .unwrap();
    }
    assert_eq!(
        orders_of(&url),
        [order("1", 1), order("2", 2), order("a", 2)]
    );
}

#[test]
fn data_is_in_a_bucket() {
    let Some(options) = Kind::Lake.options() else {
        return;
    };
    let port = match moto::server() {
        Ok(server) => server.port,
        Err(why) => return skip(etlgen_testkit::Kind::Service, &why),
    };
    let dir = tempfile::tempdir().unwrap();
    let data = format!("s3://{}/lake{}", moto::BUCKET, std::process::id());
    let file = dir.path().join("data.db");
    let url = format!("ducklake:{}?data={data}&{options}", file.display());
    let mut run = child::command(module_path!(), "loads_twice", &url);
    run.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    run.envs([
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
        ("AWS_REGION", "us-east-1"),
    ]);
    let told = run.stderr(std::process::Stdio::piped()).output().unwrap();
    let [out, error] = [&told.stdout, &told.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(out.contains("1 passed"), "{out}{error}");
    assert!(!dir.path().join("data.db.files").exists());
}

#[test]
fn an_extension_that_is_not_there_is_told_with_the_way_to_install_it() {
    let Some(options) = Kind::One.options() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let url = format!(
        "ducklake:{}?{options}",
        dir.path().join("data.db").display()
    );
    let mut search = child::command(module_path!(), "opens", &url);
    // Extensions that somebody has installed are below it.
    search.env("HOME", dir.path()).env_remove("VIRTUAL_ENV");
    let told = search.output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    for wanted in [
        "the extension `ducklake`",
        "INSTALL ducklake;",
        "?extensions=FOLDER",
        "data.db",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}

#[test]
#[ignore = "a part of other tests"]
fn opens() {
    if let Err(error) = of_url(&child::url()).open(&load("1")) {
        println!("{}", error.report());
    }
}
