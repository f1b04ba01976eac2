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
