//! The arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::error::Result;
use crate::load::{Destination, Destinations};
use crate::settings::Settings;

/// What `--destination` names, among those that the connector knows.
#[derive(Clone)]
pub struct Named {
    url: String,
    known: Destinations,
}

impl Named {
    /// Opens it.
    pub fn open(&self) -> Result<Box<dyn Destination>> {
        self.known.open(&self.url)
    }
}

/// The whole command.
pub fn command<C: Settings>(name: &str, version: &str, known: Destinations) -> Command {
    let destination = || destination(&known);
    let settings = C::SETTINGS.iter().map(|setting| {
        let variable = format!("{}_{}", C::PREFIX, setting.name.to_uppercase());
        let mut help = setting.help.trim_end_matches('.').to_owned();
        if let Some(default) = setting.default {
            help.push_str(&format!(" [default: {default}]"));
        }
        Arg::new(setting.name)
            .long(setting.name.replace('_', "-"))
            .value_name("VALUE")
            .help(format!("{help} [env: {variable}]"))
            .help_heading("Settings")
            .allow_hyphen_values(true)
            .global(true)
    });
    Command::new(name.to_owned())
        .version(version.to_owned())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(settings)
        .subcommand(sync(destination()))
        .subcommand(
            Command::new("check")
                .about("Asks the API whether it knows us: one request")
                .args(tape()),
        )
        .subcommand(
            Command::new("discover")
                .about("Prints the tables and columns of every resource as JSON"),
        )
        .subcommand(Command::new("resources").about("Lists the resources, and how each is read"))
        .subcommand(read())
        .subcommand(tables(&destination))
        .subcommand(state(&destination))
        .subcommand(
            Command::new("rollback")
                .about("Takes a load back: its rows go, and the state is what it was before")
                .arg(
                    Arg::new("load")
                        .required(true)
                        .value_name("LOAD_ID")
                        .help("As `_etl_loads` and the report of a run have it"),
                )
                .arg(
                    Arg::new("with-later")
                        .long("with-later")
                        .action(ArgAction::SetTrue)
                        .help("The loads after it too"),
                )
                .arg(destination()),
        )
}

/// Whether the command talks to the API, so that every setting counts.
pub fn sends(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some(("sync", matches)) if matches.get_flag("plan") => false,
        Some(("sync" | "check" | "read", matches)) => !matches.contains_id("replay"),
        _ => false,
    }
}

fn sync(destination: Arg) -> Command {
    Command::new("sync")
        .about("Loads the resources into a destination, from where the last run stopped")
        .arg(destination)
        .arg(resources(
            "Only these, comma separated (their parents are read too)",
        ))
        .arg(
            Arg::new("full-refresh")
                .long("full-refresh")
                .action(ArgAction::SetTrue)
                .help("Reads everything again; the tables are replaced when it has all come"),
        )
        .args(plan())
        .arg(
            Arg::new("layout")
                .long("layout")
                .value_name("LAYOUT")
                .value_parser(["etl", "dlt"])
                .default_value("etl")
                .help("Names of system columns and form of ids; `dlt`: as dlt writes them, with its `_dlt_loads` and `_dlt_version`"),
        )
        .arg(
            Arg::new("checkpoint-rows")
                .long("checkpoint-rows")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("Commits after that many records [default: the destination's]"),
        )
        .arg(
            Arg::new("select")
                .long("select")
                .value_name("RESOURCE.FIELD")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Loads only these fields of a resource, with all that is in them ('invoices.lines.amount', '*' and '?' match names), or all but these ('!invoices.metadata'); keys and cursors always stay [default: all]"),
        )
        .arg(
            Arg::new("contract")
                .long("contract")
                .value_name("[RESOURCE:][ENTITY=]MODE")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("What is done with what the structs do not say: ENTITY is tables, columns or types (unless said, all), MODE is evolve, freeze, discard_row or discard_value [default: what the resources declare]"),
        )
        .arg(
            Arg::new("report")
                .long("report")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Writes the report of the run as JSON, also when it fails"),
        )
        .arg(
            Arg::new("log-format")
                .long("log-format")
                .value_parser(["text", "json"])
                .default_value("text")
                .help("What is told on standard error while it runs: for people, or one JSON object a line"),
        )
        .arg(
            Arg::new("window")
                .long("window")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Reads what `--since` and `--until` bound in windows of that length, side by side: 30d, 12h"),
        )
        .arg(
            Arg::new("max-time")
                .long("max-time")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Stops after that long (90s, 10m, 1h30m) as a signal would: pages under way are committed, and the next run goes on"),
        )
        .arg(rate())
        .args(tape())
        .args(window())
}

fn plan() -> [Arg; 2] {
    [
        Arg::new("plan")
            .long("plan")
            .action(ArgAction::SetTrue)
            .help("Print what the run would do; send, lock and write nothing. The destination need not exist"),
        Arg::new("format")
            .long("format")
            .value_parser(["text", "json"])
            .default_value("text")
            .requires("plan")
            .help("Format of the plan"),
    ]
}

fn tape() -> [Arg; 2] {
    let folder = |name: &'static str, help| {
        Arg::new(name)
            .long(name)
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    [
        folder(
            "record",
            "Writes what is asked and answered into a new folder, one file per exchange, without secrets",
        ),
        folder(
            "replay",
            "Sends nothing: answers come from a folder that `--record` has written",
        )
        .conflicts_with("record"),
    ]
}

fn rate() -> Arg {
    Arg::new("requests-per-second")
        .long("requests-per-second")
        .value_name("N")
        .value_parser(per_second)
        .help("At most that many requests a second, of all resources together (0.5: one in two seconds)")
}

fn per_second(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number >= 1e-3)
        .ok_or_else(|| "a number above 0.001".to_owned())
}

/// `90s`, `10m`, `1h30m`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a duration: 90s, 10m, 1h30m");
    let (mut seconds, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().map_err(|_| bad())?;
        let mut letters = rest[end..].chars();
        let unit = match letters.next() {
            Some('s') | None => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) => return Err(bad()),
        };
        let more = number
            .checked_mul(unit)
            .and_then(|n| seconds.checked_add(n));
        seconds = more.ok_or_else(bad)?;
        rest = letters.as_str();
    }
    match seconds {
        0 => Err(bad()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

fn read() -> Command {
    Command::new("read")
        .about("Prints the records of one resource as the API sends them")
        .arg(
            Arg::new("resource")
                .required(true)
                .value_name("RESOURCE")
                .help("One of those that `resources` lists"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(["jsonl"])
                .default_value("jsonl")
                .help("One JSON object a line"),
        )
        .arg(rate())
        .args(tape())
        .args(window())
}

fn tables(destination: &dyn Fn() -> Arg) -> Command {
    let resource = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .required(true)
            .value_name(name.to_uppercase())
            .help(help)
    };
    Command::new("tables")
        .about("Lists the tables of a destination and counts their rows")
        .args_conflicts_with_subcommands(true)
        .arg(destination())
        .subcommand(
            Command::new("rename")
                .about(
                    "Gives the tables and the state of a resource to the one that it is called now",
                )
                .arg(resource("old", "A resource that the source has no more"))
                .arg(resource(
                    "new",
                    "A resource of the source that has no tables yet",
                ))
                .arg(destination()),
        )
        .subcommand(
            Command::new("drop")
                .about("Removes the tables of a resource, with their rows, and its state")
                .arg(resource(
                    "resource",
                    "The resource, which the source may have no more",
                ))
                .arg(destination()),
        )
}

fn state(destination: &dyn Fn() -> Arg) -> Command {
    Command::new("state")
        .about("Shows, moves or forgets what a destination remembers of the last runs")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("show")
                .about("Prints the state, one JSON object a line")
                .arg(destination()),
        )
        .subcommand(
            Command::new("reset")
                .about("Forgets the state; rows stay, and the next run reads everything")
                .arg(destination())
                .arg(resources("Only of these, comma separated")),
        )
        .subcommand(
            Command::new("export")
                .about("Prints the whole state as one JSON document, for `state import`")
                .arg(destination()),
        )
        .subcommand(
            Command::new("import")
                .about("Puts the state of a file in the place of the destination's; rows stay")
                .arg(
                    Arg::new("file")
                        .required(true)
                        .value_name("FILE")
                        .help("What `state export` printed; `-` is the standard input"),
                )
                .arg(destination()),
        )
        .subcommand(
            Command::new("rewind")
                .about("Sets the cursor of a resource back; the next run reads again from there")
                .arg(Arg::new("resource").required(true).value_name("RESOURCE"))
                .arg(
                    Arg::new("to")
                        .long("to")
                        .required(true)
                        .value_name("TIME")
                        .allow_hyphen_values(true)
                        .help("RFC 3339, a date, or a value of the cursor's field"),
                )
                .arg(destination()),
        )
}

fn destination(known: &Destinations) -> Arg {
    let forms = known.forms().join(" or ");
    let known = known.clone();
    // A name that is wrong is an error of the run, so that the report tells it too.
    let named = move |url: &str| {
        let (url, known) = (url.to_owned(), known.clone());
        Ok::<_, String>(Named { url, known })
    };
    Arg::new("destination")
        .long("destination")
        .value_name("URL")
        .value_parser(named)
        .help(format!("{forms} [default: sqlite:<source>.db]"))
}

fn resources(help: &'static str) -> Arg {
    Arg::new("resources")
        .long("resources")
        .value_name("A,B")
        .value_delimiter(',')
        .help(help)
}

fn window() -> [Arg; 3] {
    let bound = |name: &'static str, help| Arg::new(name).long(name).value_name("TIME").help(help);
    [
        Arg::new("limit")
            .long("limit")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("At most that many records of each resource"),
        bound(
            "since",
            "Only records whose cursor is at or after it: RFC 3339 or a date; leaves the state alone",
        ),
        bound(
            "until",
            "Only records whose cursor is before it; leaves the state alone",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{destination, duration};
    use crate::load::Destinations;

    fn sync() -> clap::Command {
        super::sync(destination(&Destinations::default()))
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5400),
            ("2d", 172_800),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "0",
            "0m",
            "-1",
            "m",
            "1y",
            "1.5h",
            "99999999999999999999",
            "999999999999999999d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn contracts_are_given_one_by_one_or_in_a_list() {
        let words = [
            "sync",
            "--contract",
            "freeze,a:types=evolve",
            "--contract",
            "columns=discard_row",
        ];
        let matches = sync().try_get_matches_from(words).unwrap();
        let rules = super::super::commands::contracts(&matches).unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!(rules[1].resource(), Some("a"));
        let matches = sync()
            .try_get_matches_from(["sync", "--contract", "frozen"])
            .unwrap();
        assert!(super::super::commands::contracts(&matches).is_err());
    }

    #[test]
    fn fields_are_selected_one_by_one_or_in_a_list() {
        let words = ["sync", "--select", "a.*,!a.b", "--select", "c.d.e"];
        let matches = sync().try_get_matches_from(words).unwrap();
        let rules = super::super::commands::selected(&matches).unwrap();
        assert_eq!(rules.len(), 3);
        assert!(rules[2].is_about("c"));
        let matches = sync()
            .try_get_matches_from(["sync", "--select", "a"])
            .unwrap();
        assert!(super::super::commands::selected(&matches).is_err());
    }
}
