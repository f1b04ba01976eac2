//! The password of a connection whose URL has none: `PGPASSWORD`, then the file of passwords, as libpq reads them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Reads a variable of the environment.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Gives the connection a password, if there is one. Returns why a file of passwords was ignored.
pub fn complete(config: &mut Config, variables: Variables<'_>) -> Option<String> {
    if config.get_password().is_some() {
        return None;
    }
    if let Some(password) = variables("PGPASSWORD").filter(|text| !text.is_empty()) {
        config.password(password.as_encoded_bytes());
        return None;
    }
    let file = file(variables)?;
    // Most users have no such file.
    let text = std::fs::read_to_string(&file).ok()?;
    if let Some(mode) = shared_mode(&file) {
        let file = file.display();
        return Some(format!(
            "`{file}` was ignored because others may read it (mode {mode:04o}): `chmod 600 {file}`"
        ));
    }
    let found = text.lines().find_map(|line| password(line, config));
    if let Some(password) = found {
        config.password(password);
    }
    None
}

/// Returns the path of the file of passwords.
fn file(variables: Variables<'_>) -> Option<PathBuf> {
    if let Some(file) = variables("PGPASSFILE").filter(|text| !text.is_empty()) {
        return Some(file.into());
    }
    match cfg!(windows) {
        true => Some(PathBuf::from(variables("APPDATA")?).join("postgresql/pgpass.conf")),
        false => Some(PathBuf::from(variables("HOME")?).join(".pgpass")),
    }
}

/// Returns the mode of a file that others than its owner may read or write.
#[cfg(unix)]
fn shared_mode(file: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(file).ok()?.mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn shared_mode(_: &Path) -> Option<u32> {
    None
}

/// Returns the password of a line `host:port:database:user:password` that matches; `*` matches anything, and a backslash
/// escapes a colon or a backslash.
fn password(line: &str, config: &Config) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [host, port, database, user, password] = &fields[..] else {
        return None;
    };
    let there = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(_)) => "localhost".to_owned(),
        None => config.get_hostaddrs().first()?.to_string(),
    };
    let number = config.get_ports().first().copied().unwrap_or(5432);
    let name = config.get_user()?;
    let matches = |pattern: &str, value: &str| pattern == "*" || pattern == value;
    let is_it = matches(host, &there)
        && matches(port, &number.to_string())
        && matches(database, config.get_dbname().unwrap_or(name))
        && matches(user, name);
    (is_it && !password.is_empty()).then(|| password.clone())
}

/// Splits a line into its first five fields; the last one ends at a colon, too.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            ':' if fields.len() == 5 => break,
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(last) = fields.last_mut() {
            last.push(c);
        }
    }
    fields
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn found(url: &str, variables: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let mut config: Config = url.parse().unwrap();
        let variable = |name: &str| {
            let mut found = variables.iter().filter(|(known, _)| *known == name);
            found.next().map(|(_, value)| OsString::from(value))
        };
        let ignored = complete(&mut config, &variable);
        let password = config.get_password();
        let password = password.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        (password, ignored)
    }

    #[test]
    fn a_password_comes_from_the_url_the_environment_or_the_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".pgpass");
        let lines = "# x\nh:5432:db:u2:other\nh:*:db:u:a\\:b\\\\c\n*:*:*:*:any\n";
        std::fs::write(&file, lines).unwrap();
        let home = home.path().to_str().unwrap();
        let only = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        only(0o600);
        let file_only = [("HOME", home)];
        let both = [("HOME", home), ("PGPASSWORD", "env")];
        let password = |url, variables: &[_]| found(url, variables).0;
        assert_eq!(
            password("postgres://u@h/db", &file_only).as_deref(),
            Some("a:b\\c")
        );
        assert_eq!(
            password("postgres://x@h/db", &file_only).as_deref(),
            Some("any")
        );
        assert_eq!(password("postgres://u@h/db", &both).as_deref(), Some("env"));
        assert_eq!(
            password("postgres://u:url@h/db", &both).as_deref(),
            Some("url")
        );
        assert_eq!(found("postgres://u@h/db", &[]), (None, None));
        only(0o640);
        let (password, ignored) = found("postgres://u@h/db", &file_only);
        assert_eq!(password, None);
        assert!(ignored.unwrap().contains("(mode 0640)"));
    }
}
