//! The static keys of a profile of AWS, from the files that `aws configure` writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::variables::Variables;
use crate::error::{Error, ErrorKind, Result};

/// What a profile says.
#[derive(Debug, Default, PartialEq)]
pub struct Profile {
    /// The id of the key, the secret, and the token of a session.
    pub keys: Option<(String, String, Option<String>)>,
    pub region: Option<String>,
}

/// Settings of a profile that say where its keys come from.
const ELSEWHERE: [&str; 5] = [
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "login_session",
];

/// Reads the profile that `AWS_PROFILE` names, or `default`, which need not exist.
pub fn read(variables: &Variables) -> Result<Profile> {
    let named = variables.get("AWS_PROFILE");
    let name = named.unwrap_or("default");
    let (credentials, config) = (
        file(variables, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        file(variables, "AWS_CONFIG_FILE", "config"),
    );
    let text = |path: &Option<PathBuf>| {
        let text = path.as_deref().map(std::fs::read_to_string);
        text.and_then(std::result::Result::ok).unwrap_or_default()
    };
    let section = match name {
        "default" => name.to_owned(),
        name => format!("profile {name}"),
    };
    let (keys, more) = (
        settings(&text(&credentials), name),
        settings(&text(&config), &section),
    );
    if named.is_some() && keys.is_none() && more.is_none() {
        let message = format!("there is no profile `{name}`, which AWS_PROFILE names");
        let shown = |path: &Option<PathBuf>| {
            let path = path.as_deref().map(Path::display);
            path.map_or("nowhere".to_owned(), |path| path.to_string())
        };
        return Err(Error::new(ErrorKind::Usage, message)
            .at(format!("{} and {}", shown(&credentials), shown(&config)))
            .hint("`aws configure list-profiles` lists the profiles"));
    }
    profile(name, keys.unwrap_or_default(), more.unwrap_or_default())
}

type Settings = BTreeMap<String, String>;

fn profile(name: &str, mut keys: Settings, mut more: Settings) -> Result<Profile> {
    let region = keys.remove("region").or_else(|| more.remove("region"));
    for of in [&mut keys, &mut more] {
        if let (Some(id), Some(secret)) = (
            of.remove("aws_access_key_id"),
            of.remove("aws_secret_access_key"),
        ) {
            let keys = Some((id, secret, of.remove("aws_session_token")));
            return Ok(Profile { keys, region });
        }
    }
    let elsewhere = ELSEWHERE
        .iter()
        .find(|setting| keys.contains_key(**setting) || more.contains_key(**setting));
    match elsewhere {
        None => Ok(Profile { keys: None, region }),
        Some(setting) => {
            let message =
                format!("the profile `{name}` has no keys of its own: it has `{setting}`");
            Err(Error::new(ErrorKind::Usage, message).hint(format!(
                "run `eval \"$(aws configure export-credentials --profile {name} --format env)\"` first"
            )))
        }
    }
}

/// Returns the path of one of the files.
fn file(variables: &Variables, variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = variables.get(variable) {
        return Some(path.into());
    }
    let home = variables
        .get("HOME")
        .or_else(|| variables.get("USERPROFILE"))?;
    Some(Path::new(home).join(".aws").join(name))
}

/// Returns the settings of a section; `None` if there is no such section.
fn settings(text: &str, wanted: &str) -> Option<Settings> {
    let mut found: Option<Settings> = None;
    let mut inside = false;
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default();
            let words: Vec<&str> = section.split_whitespace().collect();
            inside = words.join(" ") == wanted;
            if inside {
                found.get_or_insert_default();
            }
        } else if let (true, false, Some((name, value))) = (inside, nested, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            let settings = found.get_or_insert_default();
            settings.insert(name.trim().to_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(credentials: &str, config: &str, profile: Option<&str>) -> Result<Profile> {
        let dir = tempfile::tempdir().unwrap();
        let aws = dir.path().join(".aws");
        std::fs::create_dir(&aws).unwrap();
        std::fs::write(aws.join("credentials"), credentials).unwrap();
        std::fs::write(aws.join("config"), config).unwrap();
        let mut variables = vec![("HOME", dir.path().to_str().unwrap())];
        variables.extend(profile.map(|name| ("AWS_PROFILE", name)));
        read(&Variables::of(&variables))
    }

    const CREDENTIALS: &str = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=b=c\n\n[ci]\naws_access_key_id=D\naws_secret_access_key=E\naws_session_token=F\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1 # here\ns3 =\n  aws_access_key_id = no\n[profile ci]\nregion=us-west-2\n[profile sso]\nsso_session = x\n[profile plain]\noutput = json\n";

    #[test]
    fn keys_are_those_of_the_profile() {
        let keys = |id: &str, secret: &str, token: Option<&str>| {
            Some((id.to_owned(), secret.to_owned(), token.map(str::to_owned)))
        };
        let default = files(CREDENTIALS, CONFIG, None).unwrap();
        assert_eq!(default.keys, keys("A", "b=c", None));
        assert_eq!(default.region.as_deref(), Some("eu-west-1"));
        let ci = files(CREDENTIALS, CONFIG, Some("ci")).unwrap();
        assert_eq!(ci.keys, keys("D", "E", Some("F")));
        assert_eq!(ci.region.as_deref(), Some("us-west-2"));
        assert_eq!(files("", "", None).unwrap(), Profile::default());
        assert_eq!(
            files("", CONFIG, Some("plain")).unwrap(),
            Profile::default()
        );
    }

    #[test]
    fn a_profile_without_keys_says_how_to_get_them() {
        let error = files(CREDENTIALS, CONFIG, Some("sso"))
            .unwrap_err()
            .report();
        assert!(error.contains("it has `sso_session`"), "{error}");
        assert!(
            error.contains("export-credentials --profile sso"),
            "{error}"
        );
        let error = files(CREDENTIALS, CONFIG, Some("none"))
            .unwrap_err()
            .report();
        assert!(error.contains("there is no profile `none`"), "{error}");
    }
}
