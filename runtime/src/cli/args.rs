//! The command-line arguments.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::destination::Into;
use super::values::{duration, filled, per_second};
#[cfg(test)]
use crate::load::Destinations;
use crate::run::Required;
use crate::settings::{Setting, flag, takes_file};

/// Returns the commands, without the settings of a source. `source` names the default destination.
#[cfg(test)]
pub fn command(name: &str, version: &str, source: &str, known: Destinations) -> Command {
    command_into(name, version, &Into::new(known, source))
}

/// Does the same with the destination of the places where settings are looked up.
pub fn command_into(name: &str, version: &str, into: &Into) -> Command {
    let destination = || into.arg();
    Command::new(name.to_owned())
        .version(version.to_owned())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(sync(destination()))
        .subcommand(
            Command::new("check")
                .about("Check the credentials with one request")
                .arg(allow_http())
                .args(tape()),
        )
        .subcommand(
            Command::new("discover")
                .about("Print the tables and columns of every resource as JSON")
                .arg(
                    Arg::new("format")
                        .long("format")
                        .value_name("FORMAT")
                        .value_parser(["tables", "json-schema"])
                        .default_value("tables")
                        .help("Print the tables and columns, or a JSON Schema of the records of each resource, as `emit:` and other hosts write them"),
                ),
        )
        .subcommand(Command::new("resources").about("List the resources and how each is read"))
        .subcommand(read())
        .subcommand(tables(&destination))
        .subcommand(state(&destination))
        .subcommand(
            Command::new("rollback")
                .about("Undo a load: remove its rows and restore the state from before it")
                .arg(
                    Arg::new("load")
                        .required(true)
                        .value_name("LOAD_ID")
                        .help("The id of the load, from `_etl_loads` or the report of the run"),
                )
                .arg(
                    Arg::new("with-later")
                        .long("with-later")
                        .action(ArgAction::SetTrue)
                        .help("Undo the loads after it too"),
                )
                .arg(destination()),
        )
}

/// Returns the settings of a source as flags of every command. Their ids have a prefix, so that a
/// setting is never mistaken for a flag of a command.
pub fn settings(prefix: &str, settings: &[Setting]) -> impl Iterator<Item = Arg> {
    settings.iter().map(move |setting| {
        let variable = format!("{prefix}_{}", setting.name.to_uppercase());
        let mut help = setting.help.trim_end_matches('.').to_owned();
        match setting.default {
            Some(default) => help.push_str(&format!(" [default: {default}]")),
            None if !setting.optional => help.push_str(" [required]"),
            None => {}
        }
        Arg::new(id(setting))
            .long(flag(setting.name))
            .value_name("VALUE")
            .help(match takes_file(setting, settings) {
                true => format!(
                    "{help} [env: {variable}, or {variable}_FILE with a file that holds it]"
                ),
                false => format!("{help} [env: {variable}]"),
            })
            .help_heading("Settings")
            .allow_hyphen_values(true)
            .global(true)
    })
}

/// Returns the value of a setting on the command line.
pub fn value<'a>(matches: &'a ArgMatches, setting: &Setting) -> Option<&'a str> {
    let (_, given) = matches.subcommand()?;
    given.get_one::<String>(&id(setting)).map(String::as_str)
}

fn id(setting: &Setting) -> String {
    format!("setting:{}", setting.name)
}

/// Returns whether the command sends requests and therefore needs every setting.
pub fn sends(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some(("sync", matches)) if matches.get_flag("plan") => false,
        Some(("sync" | "check" | "read", matches)) => !matches.contains_id("replay"),
        _ => false,
    }
}

fn sync(destination: Arg) -> Command {
    Command::new("sync")
        .about("Load the resources into a destination, from where the last run stopped")
        .arg(destination)
        .arg(resources(
            "Load only these resources, separated by commas (their parents are read too)",
        ))
        .arg(
            Arg::new("full-refresh")
                .long("full-refresh")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["since", "until"])
                .help("Read everything again, and replace the tables once all of it has arrived"),
        )
        .args(plan())
        .arg(
            Arg::new("layout")
                .long("layout")
                .value_name("LAYOUT")
                .value_parser(["etl", "dlt"])
                .default_value("etl")
                .help("Choose the names of system columns and the form of ids; `dlt` writes them as dlt does, with its `_dlt_loads` and `_dlt_version`"),
        )
        .arg(
            Arg::new("checkpoint-rows")
                .long("checkpoint-rows")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("Commit after this many records [default: the destination's]"),
        )
        .arg(
            Arg::new("select")
                .long("select")
                .value_parser(filled)
                .value_name("RESOURCE.FIELD")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Load only these fields of a resource, nested fields included ('invoices.lines.amount'; '*' and '?' match names), or all but these ('!invoices.metadata'); keys and cursors always stay. A record that exists already gets null in its other columns [default: all]"),
        )
        .arg(
            Arg::new("contract")
                .long("contract")
                .value_parser(filled)
                .value_name("[RESOURCE:][ENTITY=]MODE")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Choose what happens to data that the structs do not declare: ENTITY is tables, columns or types (all three by default), MODE is evolve, freeze, discard_row or discard_value [default: as the resources declare]"),
        )
        .args(outcome())
        .arg(
            Arg::new("log-format")
                .long("log-format")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .default_value("text")
                .help("Log progress to standard error as text, or as one JSON object per line"),
        )
        .arg(
            Arg::new("window")
                .long("window")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Split the range from `--since`, or from the cursor, into windows of this length (30d, 12h) and read them in parallel"),
        )
        .arg(
            Arg::new("max-time")
                .long("max-time")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Stop after this long (90s, 10m, 1h30m), as on a signal: commit the pages in progress, and let the next run continue"),
        )
        .arg(rate())
        .arg(allow_http())
        .args(tape())
        .args(window())
}

fn outcome() -> [Arg; 2] {
    [
        Arg::new("report")
            .long("report")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Write the report of the run as JSON, even if the run fails"),
        Arg::new("require")
            .long("require")
            .value_name("GRADE")
            .value_parser(Required::ALL.map(Required::name))
            .default_value(Required::Any.name())
            .help("Exit with 6 if the proof of a resource is weaker than this; with `any`, only a contradiction fails"),
    ]
}

fn plan() -> [Arg; 2] {
    [
        Arg::new("plan")
            .long("plan")
            .action(ArgAction::SetTrue)
            .help("Print what the run would do; send, lock and write nothing. The destination need not exist"),
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(["text", "full", "json"])
            .default_value("text")
            .requires("plan")
            .help("Print the plan as text, with the columns of wide tables (full), or as JSON"),
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
            "Write each request and its response to a new folder, one file per exchange, without secrets",
        ),
        folder(
            "replay",
            "Send nothing, and answer from a folder that `--record` has written",
        )
        .conflicts_with("record"),
    ]
}

fn rate() -> Arg {
    Arg::new("requests-per-second")
        .long("requests-per-second")
        .value_name("N")
        .value_parser(per_second)
        .help("Send at most this many requests per second, for all resources together (0.5 is one request every two seconds)")
}

fn allow_http() -> Arg {
    Arg::new("allow-http")
        .long("allow-http")
        .action(ArgAction::SetTrue)
        .help("Send the credentials over http:// also to hosts that are neither this machine nor on a private network")
}

fn read() -> Command {
    Command::new("read")
        .about("Print the records of one resource as the API sends them")
        .arg(
            Arg::new("resource")
                .required(true)
                .value_name("RESOURCE")
                .help("The resource, one of those that `resources` lists"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["jsonl"])
                .default_value("jsonl")
                .help("Print one JSON object per line"),
        )
        .arg(rate())
        .arg(allow_http())
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
        .about("List the tables of a destination and count their rows")
        .args_conflicts_with_subcommands(true)
        .arg(destination())
        .subcommand(
            Command::new("rename")
                .about("Move the tables and the state of a renamed resource to its new name")
                .arg(resource(
                    "old",
                    "The old name, which the source no longer has",
                ))
                .arg(resource(
                    "new",
                    "The new name, a resource that has no tables yet",
                ))
                .arg(destination()),
        )
        .subcommand(
            Command::new("drop")
                .about("Remove the tables of a resource, with their rows, and its state")
                .arg(resource(
                    "resource",
                    "The resource, which the source may no longer have",
                ))
                .arg(destination()),
        )
}

fn state(destination: &dyn Fn() -> Arg) -> Command {
    Command::new("state")
        .about("Show, move or reset the state of earlier runs in a destination")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("show")
                .about("Print the state, one JSON object per line")
                .arg(destination()),
        )
        .subcommand(
            Command::new("reset")
                .about("Forget the state: rows stay, and the next run reads everything")
                .arg(destination())
                .arg(resources("Forget the state of only these resources, separated by commas")),
        )
        .subcommand(
            Command::new("export")
                .about("Print the whole state as one JSON document, for `state import`")
                .arg(
                    Arg::new("file")
                        .value_name("FILE")
                        .help("Write it to this file, which only you may read, instead of standard output"),
                )
                .arg(destination()),
        )
        .subcommand(
            Command::new("import")
                .about("Replace the state of the destination by that of a file; rows stay")
                .arg(
                    Arg::new("file")
                        .required(true)
                        .value_name("FILE")
                        .help("The output of `state export`; `-` reads standard input"),
                )
                .arg(destination()),
        )
        .subcommand(
            Command::new("rewind")
                .about("Set the cursor of a resource back, so that the next run reads again from there")
                .arg(
                    Arg::new("resource")
                        .required(true)
                        .value_name("RESOURCE")
                        .help("The resource, one of those that `resources` lists"),
                )
                .arg(
                    Arg::new("to")
                        .long("to")
                        .required(true)
                        .value_parser(filled)
                        .value_name("TIME")
                        .allow_hyphen_values(true)
                        .help("The new position: RFC 3339, a date, or a value of the cursor's field"),
                )
                .arg(destination()),
        )
}

fn resources(help: &'static str) -> Arg {
    Arg::new("resources")
        .long("resources")
        .value_parser(filled)
        .value_name("A,B")
        .value_delimiter(',')
        .help(help)
}

fn window() -> [Arg; 3] {
    let bound = |name: &'static str, help| {
        Arg::new(name)
            .long(name)
            .value_parser(filled)
            .value_name("TIME")
            .help(help)
    };
    [
        Arg::new("limit")
            .long("limit")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("Read at most this many records of each resource"),
        bound(
            "since",
            "Read only records whose cursor is at or after this time (RFC 3339 or a date); the state does not change",
        ),
        bound(
            "until",
            "Read only records whose cursor is before this time (RFC 3339 or a date); the state does not change",
        ),
    ]
}
