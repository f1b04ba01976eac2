//! Tests of looking up settings.

use super::*;

/// The settings of a library's connector.
#[derive(Clone, Settings)]
#[settings(prefix = "LIBRARY")]
struct Config {
    /// The key of a reader.
    api_key: Secret,
    /// Where the API answers.
    #[settings(default = "https://library.example")]
    base_url: String,
    branch: Option<String>,
}

fn places(environment: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Places> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let environment = environment
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    Places::new("LIBRARY", environment, folder.path())
}

#[test]
fn the_first_place_that_has_a_value_counts() {
    let files = [
        (
            ".env",
            "LIBRARY_API_KEY='of env file'\nLIBRARY_BRANCH=north # by the river\n",
        ),
        (
            "library.toml",
            "api_key = \"of toml\"\nbase_url = \"http://toml\"\n",
        ),
    ];
    let mut all = places(&[("LIBRARY_API_KEY", "of environment")], &files).unwrap();
    let config = Config::load_from(&all).unwrap();
    assert_eq!(config.api_key.expose(), "of environment");
    assert_eq!(config.branch.as_deref(), Some("north"));
    assert_eq!(config.base_url, "http://toml");
    all.flag("api_key", "of flag");
    assert_eq!(Config::load_from(&all).unwrap().api_key.expose(), "of flag");
    let unset = places(&[("LIBRARY_API_KEY", "")], &files).unwrap();
    assert_eq!(
        Config::load_from(&unset).unwrap().api_key.expose(),
        "of env file"
    );
}

#[test]
fn what_is_missing_is_named_with_the_places() {
    let error = Config::load_from(&places(&[], &[(".env", "")]).unwrap());
    let message = error.err().unwrap().report();
    assert_eq!(
        message,
        "no value for the setting `api_key`\n  hint: set --api-key or LIBRARY_API_KEY; variables may stand in `.env`, and \
         settings under their names in `library.toml` (which does not exist here)"
    );
    #[derive(Settings)]
    #[settings(prefix = "LIBRARY")]
    struct Two {
        api_key: Secret,
        team: String,
    }
    let error = Two::load_from(&places(&[], &[]).unwrap());
    let message = error
        .map(|two| (two.api_key, two.team))
        .unwrap_err()
        .report();
    assert!(message.contains("`api_key`, `team`"), "{message}");
    let each = "set --api-key or LIBRARY_API_KEY, --team or LIBRARY_TEAM;";
    assert!(message.contains(each), "{message}");
}

#[test]
fn a_misspelled_key_is_refused() {
    let files = [(
        "library.toml",
        "api_key = \"k\"\nbase_ulr = \"x\"\n[other]\na = 1\n",
    )];
    let error = Config::load_from(&places(&[], &files).unwrap());
    assert_eq!(
        error.err().unwrap().report(),
        "library.toml: `base_ulr` is not a setting\n  hint: did you mean `base_url`?"
    );
}

#[test]
fn files_that_cannot_be_read_are_named_without_their_text() {
    for (name, text, place) in [
        (".env", "A=1\n\nLIBRARY_API_KEY='hidden\n", ".env:3: "),
        (".env", "A=1\nLIBRARY_API_KEY=hidden word\n", ".env:2: "),
        ("library.toml", "a = 1\n\nb = \"hidden", "library.toml:3: "),
    ] {
        let message = places(&[], &[(name, text)]).unwrap_err().report();
        assert!(!message.contains("hidden"), "{message}");
        assert!(message.contains(place), "{message}");
    }
}

#[test]
fn placeholders_and_help_come_from_the_struct() {
    let config = Config::placeholder();
    assert_eq!(config.base_url, "https://library.example");
    assert_eq!(config.branch, None);
    assert_eq!(format!("{:?}", config.api_key), "***");
    assert_eq!(Config::SETTINGS[0].help, "The key of a reader.");
    assert!(Config::SETTINGS[0].secret && !Config::SETTINGS[1].secret);
}

#[test]
fn secrets_are_taken_out_in_every_form() {
    let secret = "s/cr t\"1é";
    let redactor = Redactor::new(vec![Secret::new(secret), Secret::new("abc")]);
    for text in [
        "s/cr t\"1é",
        "s%2Fcr+t%221%C3%A9",
        "s%2fcr%20t%221%c3%a9",
        "s%2Fcr t%221é",
        "%73%2F%63%72%20%74%22%31%C3%A9",
        "s%252Fcr%2520t%25221%25C3%25A9",
        r#"s\/cr t\"1é"#,
        r#"s/cr\u0020t\u00221\u00e9"#,
    ] {
        assert_eq!(redactor.redact(&format!("a {text}, b")), "a ***, b");
        assert_eq!(redactor.redact(&format!("{text}{text}")), "******");
    }
    for (text, left) in [
        ("abc", "abc"),
        ("%", "%"),
        ("\\", "\\"),
        ("s/cr%20t", "s/cr%20t"),
    ] {
        assert_eq!(redactor.redact(text), left);
    }
}

#[test]
fn secrets_are_taken_out_of_base64() {
    use crate::text::base64;
    let secret = "sk-canary>>9137";
    let redactor = Redactor::new(vec![Secret::new(secret)]);
    for around in ["", "u:", "a:b", "user:"] {
        let packed = base64(format!("{around}{secret}{around}").as_bytes());
        let in_urls = packed.replace('+', "-").replace('/', "_");
        for text in [&packed, &in_urls] {
            let redacted = redactor.redact(text);
            assert!(redacted.contains("***"), "{text}: {redacted}");
            // Only the text around the secret is left, except at its edges.
            assert!(redacted.len() <= 2 * around.len() * 8 / 6 + 8, "{redacted}");
        }
    }
    let other = base64(b"another text of that length");
    assert_eq!(redactor.redact(&other), other);
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let key = |environment: &[(&str, &str)], files: &[(&str, &str)]| {
        let places = places(environment, files).unwrap();
        let config = Config::load_from(&places);
        config.map(|config| config.api_key.expose().to_owned())
    };
    let unix = path("unix", "of file\n");
    assert_eq!(
        key(&[("LIBRARY_API_KEY_FILE", &unix)], &[]).unwrap(),
        "of file"
    );
    let windows = path("windows", "of\nfile\r\n");
    let dotenv = format!("LIBRARY_API_KEY_FILE={windows}\n");
    assert_eq!(key(&[], &[(".env", &dotenv)]).unwrap(), "of\nfile");
    // A value comes before a file, and the environment before the settings file.
    let toml = [("library.toml", "api_key = \"of toml\"\n")];
    assert_eq!(
        key(&[("LIBRARY_API_KEY_FILE", &unix)], &toml).unwrap(),
        "of file"
    );
    let both = [
        ("LIBRARY_API_KEY_FILE", unix.as_str()),
        ("LIBRARY_API_KEY", "of variable"),
    ];
    assert_eq!(key(&both, &toml).unwrap(), "of variable");
    let empty = path("empty", "\n");
    assert_eq!(
        key(&[("LIBRARY_API_KEY_FILE", &empty)], &toml).unwrap(),
        "of toml"
    );
    // What is no secret does not come from a file.
    let places = places(
        &[("LIBRARY_API_KEY", "k"), ("LIBRARY_BRANCH_FILE", &unix)],
        &[],
    )
    .unwrap();
    assert_eq!(Config::load_from(&places).unwrap().branch, None);
}

#[test]
fn a_file_of_a_secret_is_read_once_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "hidden").unwrap();
    let name = path.display().to_string();
    let all = places(&[("LIBRARY_API_KEY_FILE", &name)], &[]).unwrap();
    Config::load_from(&all).unwrap();
    std::fs::remove_file(&path).unwrap();
    let secrets = all.secrets(Config::SETTINGS);
    assert_eq!(secrets[0].expose(), "hidden");
    assert!(!format!("{all:?}").contains("hidden"));
    // A file that is not there, and one that is no text.
    std::fs::write(&path, b"hidden\xff").unwrap();
    let gone = format!("{name}.gone");
    for (name, what) in [(&name, "not UTF-8"), (&gone, "No such file")] {
        let all = places(&[("LIBRARY_API_KEY_FILE", name)], &[]).unwrap();
        let error = Config::load_from(&all).err().unwrap().report();
        assert!(
            error.contains("LIBRARY_API_KEY_FILE") && error.contains(what),
            "{error}"
        );
        assert!(
            error.contains(name.as_str()) && !error.contains("hidden"),
            "{error}"
        );
    }
}

#[test]
fn a_variable_of_a_setting_names_no_file_of_another() {
    #[derive(Settings)]
    #[settings(prefix = "LIBRARY")]
    struct Renewed {
        refresh_token: Option<Secret>,
        #[settings(default = "kept.json")]
        refresh_token_file: String,
    }
    let all = places(&[("LIBRARY_REFRESH_TOKEN_FILE", "other.json")], &[]).unwrap();
    let config = Renewed::load_from(&all).unwrap();
    assert!(config.refresh_token.is_none());
    assert_eq!(config.refresh_token_file, "other.json");
}

#[test]
fn the_destination_stands_beside_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://u:p@h/d\n").unwrap();
    let path = path.display().to_string();
    let toml = [(
        "library.toml",
        "api_key = \"k\"\ndestination = \"sqlite:toml.db\"\n",
    )];
    let of = |environment: &[(&str, &str)], files: &[(&str, &str)]| {
        let places = places(environment, files).unwrap();
        places.destination(Config::SETTINGS).unwrap()
    };
    assert_eq!(of(&[], &[]), None);
    assert_eq!(of(&[], &toml).as_deref(), Some("sqlite:toml.db"));
    let named = of(&[("LIBRARY_DESTINATION", "sqlite:env.db")], &toml);
    assert_eq!(named.as_deref(), Some("sqlite:env.db"));
    let named = of(&[("LIBRARY_DESTINATION_FILE", &path)], &toml);
    assert_eq!(named.as_deref(), Some("postgres://u:p@h/d"));
    // Its key is no mistake in the settings file.
    assert!(Config::load_from(&places(&[], &toml).unwrap()).is_ok());
}
