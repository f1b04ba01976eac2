//! Tests that settings and flags do not collide, whatever the name of a setting; and exit codes.

mod state;
mod sync;
mod tables;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Command};

use crate::cli::args;
use crate::cli::report::{Known, render};
use crate::error::ErrorKind;
use crate::hosts::process::exit_code;
use crate::load::Destinations;
use crate::run::{Outcome, Proof, Required, ResourceReport, RunReport};
use crate::settings::{Places, Setting, flag};

/// A flag of a command: the words that name the command, and the words that give the flag a value.
struct Flag {
    command: Vec<String>,
    id: String,
    long: String,
    words: Vec<String>,
}

fn command() -> Command {
    args::command("c", "1", "c", Destinations::default())
}

/// Collects the flags of a command and of its subcommands.
fn flags(command: &Command, path: &[String], found: &mut Vec<Flag>) {
    for arg in command.get_arguments() {
        for long in arg.get_long_and_visible_aliases().unwrap_or_default() {
            let mut words = vec![format!("--{long}")];
            if matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
                let possible = arg.get_possible_values();
                // Every flag that is neither a choice nor a duration accepts `7`.
                let is_duration = matches!(arg.get_id().as_str(), "window" | "max-time");
                let any = if is_duration { "7d" } else { "7" };
                let value = possible.last().map_or(any, |value| value.get_name());
                words.push(value.to_owned());
            }
            found.push(Flag {
                command: path.to_vec(),
                id: arg.get_id().to_string(),
                long: long.to_owned(),
                words,
            });
        }
    }
    for below in command.get_subcommands() {
        let mut path = path.to_vec();
        path.push(below.get_name().to_owned());
        flags(below, &path, found);
    }
}

fn all_flags() -> Vec<Flag> {
    let mut command = command();
    command.build();
    let mut found = Vec::new();
    flags(&command, &[], &mut found);
    found
}

fn setting(name: &str) -> Setting {
    Setting::new::<Option<String>>(name.replace('-', "_").leak(), "A setting.", None)
}

/// Returns the arguments of the subcommand at this path, without the settings.
fn told(matches: &ArgMatches, path: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut at = matches;
    for name in path {
        at = at.subcommand_matches(name).unwrap();
    }
    let ids = at.ids().map(|id| id.to_string());
    let ids = ids.filter(|id| !id.starts_with("setting:"));
    let raw = |id: &String| {
        let values = at.get_raw(id).into_iter().flatten();
        values
            .map(|value| value.to_string_lossy().into_owned())
            .collect()
    };
    ids.map(|id| (id.clone(), raw(&id))).collect()
}

/// Returns words for the required arguments of a command.
fn positionals(path: &[String]) -> Vec<String> {
    let mut at = command();
    at.build();
    for name in path {
        at = at.find_subcommand(name).unwrap().clone();
    }
    let wanted = at.get_arguments().filter(|arg| arg.is_required_set());
    let mut words = Vec::new();
    for arg in wanted {
        words.extend(arg.get_long().map(|long| format!("--{long}")));
        words.push("7".to_owned());
    }
    words
}

fn report(proof: Proof, outcome: Outcome, required: Required) -> RunReport {
    let resource = ResourceReport {
        name: "items".into(),
        outcome,
        records: 7,
        different: 7,
        unchanged: 0,
        pages: 1,
        requests: 1,
        retries: 0,
        bytes: 90,
        slices: 1,
        restarts: false,
        skipped: Vec::new(),
        waited: Duration::ZERO,
        cursor: None,
        proof,
        tables: Vec::new(),
        drift: Vec::new(),
        notes: Vec::new(),
    };
    RunReport {
        load_id: "1.0".into(),
        source: "s".into(),
        destination: "memory".into(),
        resources: vec![resource],
        off: Vec::new(),
        required,
        notes: Vec::new(),
        refused: false,
        elapsed: Duration::ZERO,
    }
}

#[test]
fn credentials_that_no_list_accepts_are_one_failure_with_exit_code_3() {
    let refused = |name: &str| {
        let message = format!("GET /{name}: 403 Forbidden: Invalid JWT token");
        Outcome::Failed(ErrorKind::Credentials, message)
    };
    let mut all = report(Proof::Open, refused("a"), Required::Any);
    let mut add = |outcome: Outcome, requests: u64| {
        let mut other = report(Proof::Open, outcome, Required::Any);
        let mut resource = other.resources.remove(0);
        (resource.name, resource.requests) = (format!("r{}", all.resources.len()), requests);
        all.resources.push(resource);
    };
    add(refused("b"), 1);
    // A child, whose parent was refused.
    add(Outcome::Stopped, 0);
    assert_eq!(exit_code(&all, false), 3);
    let shown = render(&all, Known::default());
    assert_eq!(shown.matches("Invalid JWT token").count(), 1, "{shown}");
    assert!(shown.contains("items, r1: GET /a: 403"), "{shown}");

    // One list was read.
    let mut some = report(
        Proof::Assumed("one".into()),
        Outcome::Complete,
        Required::Any,
    );
    some.resources.append(&mut all.resources);
    assert_eq!(exit_code(&some, false), 6);
    let shown = render(&some, Known::default());
    assert_eq!(shown.matches("Invalid JWT token").count(), 2, "{shown}");
}

#[test]
fn what_is_less_sure_than_required_has_an_exit_code_and_a_line() {
    let proofs: [fn(String) -> Proof; 4] = [
        Proof::Proved,
        Proof::Consistent,
        Proof::Assumed,
        Proof::Unproved,
    ];
    for (worst, required) in Required::ALL.into_iter().enumerate() {
        for (rank, proof) in proofs.iter().enumerate() {
            let report = report(proof("why".into()), Outcome::Complete, required);
            let short = rank > worst;
            assert_eq!(exit_code(&report, false), if short { 6 } else { 0 });
            let text = crate::cli::report::render(&report, Default::default());
            let line = format!("below `--require {}`", required.name());
            assert_eq!(text.contains(&line), short, "{text}");
            assert_eq!(text.contains("warning: not proved"), rank == 3, "{text}");
            assert_eq!(text.contains("assumed complete"), rank == 2, "{text}");
        }
        // A failed resource, and one with nothing to read, are reported elsewhere.
        let failed = || Outcome::Failed(ErrorKind::Paging, "no".into());
        assert_eq!(
            exit_code(&report(Proof::Open, failed(), required), false),
            4
        );
        assert_eq!(
            exit_code(&report(Proof::Open, Outcome::Complete, required), false),
            0
        );
        // A resource that `--limit` cut short is not known to be complete.
        let cut = exit_code(&report(Proof::Open, Outcome::Stopped, required), true);
        assert_eq!(cut, if required == Required::Any { 0 } else { 6 });
    }
    let line = ["c", "sync", "--require", "consistent"];
    let matches = command().try_get_matches_from(line).unwrap();
    let matches = matches.subcommand_matches("sync").unwrap();
    let options = crate::cli::options::sync_options(matches).unwrap();
    assert_eq!(options.required, Required::Consistent);
}

#[test]
fn a_report_fits_a_terminal_and_says_a_failure_once() {
    let why = "a reason of many words that is much too long for a column of a table of numbers";
    let shown = |outcome, proof, known| {
        let text = crate::cli::report::render(&report(proof, outcome, Required::Any), known);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        // The lines are joined again.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let known = crate::cli::report::Known::default();
    let text = shown(Outcome::Complete, Proof::Proved(why.into()), known);
    assert!(
        text.contains(&format!("ends items: proved: {why}")),
        "{text}"
    );
    assert!(
        !text.contains("retries") && !text.contains("slices"),
        "{text}"
    );
    let text = shown(Outcome::Stopped, Proof::Open, known);
    assert!(
        text.contains("items: stopped; the next run continues"),
        "{text}"
    );

    let failed = || {
        let message = format!("resource items: {why}\n  hint: wait");
        Outcome::Failed(ErrorKind::Api, message)
    };
    let text = shown(failed(), Proof::Open, known);
    assert!(
        text.ends_with(&format!("failed items: {why} hint: wait")),
        "{text}"
    );
    let known = crate::cli::report::Known {
        failures: true,
        ..known
    };
    assert!(shown(failed(), Proof::Open, known).ends_with("failed items"));
}

#[test]
fn no_setting_shadows_a_flag_or_is_shadowed_by_one() {
    let all = all_flags();
    assert!(all.len() > 30, "{}", all.len());
    let ids: Vec<&str> = all.iter().map(|flag| flag.id.as_str()).collect();
    for id in ["since", "report", "window", "help", "version", "with-later"] {
        assert!(ids.contains(&id), "{id}");
    }
    let positional = ["resource", "load", "file", "old", "new"];
    let names = all.iter().map(|flag| flag.long.as_str()).chain(positional);
    for name in names {
        let setting = setting(name);
        let with = || command().args(args::settings("P", &[setting]));
        // clap's own assertions hold for this command too.
        with().debug_assert();
        for Flag {
            command: path,
            id,
            words,
            ..
        } in &all
        {
            let mut line = vec!["c".to_owned()];
            line.extend(path.iter().cloned());
            if id != "to" {
                line.extend(positionals(path));
            }
            line.extend(words.iter().cloned());
            if id == "format" && path == &["sync"] {
                line.push("--plan".to_owned());
            }
            let plain = command().try_get_matches_from(&line);
            let mut own = line.clone();
            own.extend([
                format!("--{}", flag(setting.name)),
                "of the setting".to_owned(),
            ]);
            let (plain, own) = match (plain, with().try_get_matches_from(own)) {
                (Ok(plain), Ok(own)) => (plain, own),
                // These are help and version.
                (Err(plain), Err(own)) => {
                    assert_eq!(plain.kind(), own.kind(), "{line:?}");
                    assert!(["help", "version", "to"].contains(&id.as_str()), "{plain}");
                    continue;
                }
                (plain, own) => panic!("{name}, {line:?}: {:?} {:?}", plain.err(), own.err()),
            };
            assert_eq!(told(&plain, path), told(&own, path), "{name}, {line:?}");
            assert_eq!(
                args::value(&own, &setting),
                Some("of the setting"),
                "{name}, {line:?}"
            );
        }
    }
}

#[test]
fn a_setting_called_like_a_flag_is_found_in_its_own_places() {
    for name in all_flags().into_iter().map(|flag| flag.long) {
        let setting = setting(&name);
        let folder = tempfile::tempdir().unwrap();
        let variable = format!("P_{}", setting.name.to_uppercase());
        let environment = [(variable, "of the environment".to_owned())];
        let mut places = Places::new("P", environment, folder.path()).unwrap();
        let found = |places: &Places| places.values(&[setting]).unwrap()[0].clone();
        assert_eq!(found(&places).as_deref(), Some("of the environment"));
        places.flag(setting.name, "of the flag");
        assert_eq!(found(&places).as_deref(), Some("of the flag"));
        assert_eq!(flag(setting.name), format!("api-{name}"));
    }
    for (name, long) in [
        ("api_key", "api-key"),
        ("resource", "resource"),
        ("api_since", "api-api-since"),
        ("api_sinces", "api-sinces"),
    ] {
        assert_eq!(flag(name), long);
    }
}

#[test]
fn help_shows_the_default_destination_and_the_required_settings() {
    let settings = [
        Setting::new::<String>("team_id", "The team.", None),
        Setting::new::<String>("region", "The region.", Some("eu")),
        Setting::new::<Option<String>>("branch", "The branch.", None),
    ];
    let command = args::command("billing-connector", "1", "billing", Destinations::default());
    let mut command = command.args(args::settings("BILLING", &settings));
    command.build();
    let sync = command.find_subcommand_mut("sync").unwrap();
    // Where lines break depends on the destinations that are compiled.
    let help = sync.render_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[default: sqlite:billing.db]",
        "The team [required] [env: BILLING_TEAM_ID]",
        "The region [default: eu] [env: BILLING_REGION]",
        "The branch [env: BILLING_BRANCH]",
    ] {
        assert!(help.contains(part), "{help}");
    }
}

/// Returns what `sync` loads into, and its help, in places with these variables.
fn into_with(environment: &[(&str, &str)], words: &[&str]) -> (String, String) {
    let environment = environment
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let toml = "destination = \"sqlite:toml.db\"\n";
    std::fs::write(folder.path().join("shop.toml"), toml).unwrap();
    let places = Places::new("SHOP", environment, folder.path()).unwrap();
    let into = crate::cli::destination::Into::new(Destinations::default(), "shop");
    let mut into = into.set_by(&places, &[]);
    let mut command = args::command_into("shop", "1", &into);
    let sync = command.find_subcommand_mut("sync").unwrap();
    let help = sync.render_long_help().to_string();
    let words = [&["shop", "sync"], words].concat();
    let matches = command.try_get_matches_from(words).unwrap();
    let (_, sync) = matches.subcommand().unwrap();
    let shown = match into.check(&matches) {
        Ok(()) => crate::cli::target::into(sync).unwrap().describe(),
        Err(error) => error.report(),
    };
    (shown, help)
}

#[test]
fn a_destination_comes_from_the_flag_the_environment_or_the_settings_file() {
    let variable = [("SHOP_DESTINATION", "sqlite:env.db")];
    assert_eq!(
        into_with(&variable, &["--destination", "sqlite:flag.db"]).0,
        "sqlite:flag.db"
    );
    assert_eq!(into_with(&variable, &[]).0, "sqlite:env.db");
    assert_eq!(into_with(&[], &[]).0, "sqlite:toml.db");
    let gone = [("SHOP_DESTINATION_FILE", "/no/such/file")];
    assert!(
        into_with(&gone, &[])
            .0
            .contains("cannot read the file of SHOP_DESTINATION_FILE")
    );
    assert_eq!(
        into_with(&gone, &["--destination", "sqlite:flag.db"]).0,
        "sqlite:flag.db"
    );
}

#[test]
fn help_names_the_variable_and_not_what_it_holds() {
    let secret = [("SHOP_DESTINATION", "postgres://u:s3cret@h/d")];
    let help = into_with(&secret, &["--destination", "sqlite:flag.db"]).1;
    assert!(help.contains("SHOP_DESTINATION_FILE"), "{help}");
    assert!(
        !help.contains("s3cret") && !help.contains("postgres://u"),
        "{help}"
    );
}

#[test]
fn a_message_of_several_resources_is_told_once() {
    let message = "no value for the setting `tenant`\n  hint: set --tenant";
    let mut all = report(Proof::Open, Outcome::Complete, Required::Any);
    let template = all.resources.remove(0);
    for name in ["users", "groups", "roles"] {
        let told = format!("resource {name}: {message}");
        let mut resource = template.clone();
        resource.name = name.to_owned();
        resource.outcome = Outcome::Failed(ErrorKind::Usage, told);
        all.resources.push(resource);
    }
    let text = crate::cli::report::render(&all, crate::cli::report::Known::default());
    assert_eq!(
        text.matches("no value for the setting").count(),
        1,
        "{text}"
    );
    assert!(text.contains("users, groups, roles: no value"), "{text}");
    let teller = crate::cli::progress::Teller::new(&crate::world::World::real());
    assert!(teller.failure("users", message).contains("`tenant`"));
    assert_eq!(
        teller.failure("groups", message),
        "groups: failed like users"
    );
}
