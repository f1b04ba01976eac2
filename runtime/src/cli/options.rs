//! The options of a run, from the command line.

use std::str::FromStr;
use std::time::Duration;

use clap::ArgMatches;

use crate::error::{Error, Result};
use crate::record::SelectRule;
use crate::run::{Required, RunOptions};
use crate::schema::{ContractRule, Layout};

/// Returns the options that `sync` and `read` share.
pub(super) fn options(matches: &ArgMatches) -> RunOptions {
    let text = |name| matches.get_one::<String>(name).cloned();
    RunOptions {
        limit: matches.get_one::<u64>("limit").copied(),
        since: text("since"),
        until: text("until"),
        ..RunOptions::default()
    }
}

/// Returns the resources that are named; an empty list means all.
pub(super) fn chosen(matches: &ArgMatches) -> Vec<String> {
    let names = matches.get_many::<String>("resources");
    names.into_iter().flatten().cloned().collect()
}

fn contracts(matches: &ArgMatches) -> Result<Vec<ContractRule>> {
    rules(matches, "contract")
}

fn selected(matches: &ArgMatches) -> Result<Vec<SelectRule>> {
    rules(matches, "select")
}

fn rules<T: FromStr<Err = Error>>(matches: &ArgMatches, name: &str) -> Result<Vec<T>> {
    let rules = matches.get_many::<String>(name);
    rules
        .into_iter()
        .flatten()
        .map(|rule| rule.parse())
        .collect()
}

/// Returns the options of `sync`.
pub(super) fn sync_options(matches: &ArgMatches) -> Result<RunOptions> {
    let rows = matches.get_one::<u64>("checkpoint-rows");
    let layout = matches.get_one::<String>("layout");
    let required = matches.get_one::<String>("require");
    let required = required.and_then(|name| {
        let mut grades = Required::ALL.into_iter();
        grades.find(|grade| grade.name() == name)
    });
    Ok(RunOptions {
        required: required.unwrap_or_default(),
        layout: layout
            .and_then(|name| Layout::parse(name))
            .unwrap_or_default(),
        resources: chosen(matches),
        full_refresh: matches.get_flag("full-refresh"),
        checkpoint_rows: rows.and_then(|rows| usize::try_from(*rows).ok()),
        select: selected(matches)?,
        contracts: contracts(matches)?,
        max_time: matches.get_one::<Duration>("max-time").copied(),
        window: matches.get_one::<Duration>("window").copied(),
        ..options(matches)
    })
}

#[cfg(test)]
mod tests {
    use super::{contracts, selected};
    use crate::cli::args;
    use crate::load::Destinations;

    fn sync(words: &[&str]) -> clap::ArgMatches {
        let command = args::command("c", "1", "c", Destinations::default());
        let words = [&["c", "sync"], words].concat();
        let matches = command.try_get_matches_from(words).unwrap();
        matches.subcommand_matches("sync").unwrap().clone()
    }

    #[test]
    fn an_option_without_a_value_is_refused() {
        let refused = |words: &[&str]| {
            let command = args::command("c", "1", "c", Destinations::default());
            let error = command.try_get_matches_from(words).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        let options = [
            "resources",
            "select",
            "contract",
            "since",
            "until",
            "window",
            "max-time",
            "destination",
            "report",
            "record",
            "replay",
            "limit",
        ];
        for option in options {
            let error = refused(&["c", "sync", &format!("--{option}"), ""]);
            assert!(error.contains(&format!("--{option}")), "{error}");
        }
        for names in ["a,", ",a", "a,,b"] {
            let error = refused(&["c", "sync", "--resources", names]);
            assert!(error.contains("it is empty"), "{error}");
        }
        refused(&["c", "state", "reset", "--resources", ""]);
        refused(&["c", "state", "rewind", "a", "--to", ""]);
    }

    #[test]
    fn contracts_are_given_one_by_one_or_in_a_list() {
        let words = [
            "--contract",
            "freeze,a:types=evolve",
            "--contract",
            "columns=discard_row",
        ];
        let rules = contracts(&sync(&words)).unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!(rules[1].resource(), Some("a"));
        assert!(contracts(&sync(&["--contract", "frozen"])).is_err());
    }

    #[test]
    fn fields_are_selected_one_by_one_or_in_a_list() {
        let words = ["--select", "a.*,!a.b", "--select", "c.d.e"];
        let rules = selected(&sync(&words)).unwrap();
        assert_eq!(rules.len(), 3);
        assert!(rules[2].is_about("c"));
        assert!(selected(&sync(&["--select", "a"])).is_err());
    }
}
