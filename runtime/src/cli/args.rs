//! The command-line arguments.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::destination::Into;
use super::values::{duration, filled, per_second, waiting};
use crate::hosts::process::fail;
#[cfg(test)]
use crate::load::Destinations;
use crate::run::Required;
use crate::settings::{Setting, flag, takes_outside};

/// Returns the commands, without the settings of a source. `source` names the default destination.
#[cfg(test)]
pub fn command(name: &str, version: &str, source: &str, known: Destinations) -> Command {
    command_into(name, version, &Into::new(known, source))
}

/// Does the same with the destination of the places where settings are looked up.
pub fn command_into(name: &str, version: &str, into: &Into) -> Command {
    let destination = || into.arg();
    let command = Command::new(name.to_owned())
        .version(version.to_owned())
        .about(format!(
            "Load data from the API of {} into a database or files. `{name} sync` loads what is new; a run that is killed goes on where it stopped.",
            into.source()
        ))
        .after_help("`COMMAND --help` lists the options of a command. Exit codes: 0 success, 2 usage or settings, 3 credentials, 4 the API, 5 the destination, 6 some resources failed, 130 stopped.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(sync(destination()).arg(wait()))
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
                        .value_parser(["tables", "json-schema", "dbt"])
                        .default_value("tables")
                        .help("Print the tables and columns as JSON, a JSON Schema of the records of each resource, as `emit:` and other hosts write them, or the tables as a `sources.yml` of dbt"),
                ),
        )
        .subcommand(Command::new("resources").about("List the resources and how each is read"))
        .subcommand(read())
        .subcommand(tables(&destination))
        .subcommand(query(destination()))
        .subcommand(
            Command::new("loads")
                .about("List the loads of a destination, the last one first")
                .arg(destination()),
        )
        .subcommand(report(destination()))
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
        .subcommand(
            Command::new("completions")
                .about("Print the completions of a shell: `source <(… completions bash)`")
                .arg(
                    Arg::new("shell")
                        .required(true)
                        .value_name("SHELL")
                        .value_parser(["bash", "zsh", "fish"])
                        .help("The shell that reads them"),
                ),
        );
    #[cfg(feature = "parquet")]
    let command = command.subcommands(slices(&destination));
    command
}

/// Returns the option to wait for another run.
fn wait() -> Arg {
    Arg::new("wait")
        .long("wait")
        .value_name("DURATION")
        .value_parser(duration)
        .help("Wait this long (30s, 10m) if another run is loading into the destination [default: do not wait]")
}

/// Writes the completions of a shell to standard output.
pub fn complete(matches: &ArgMatches, mut command: Command) -> ExitCode {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => Shell::Bash,
    };
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    match std::io::stdout().write_all(&script) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => fail(&error.into(), None),
        _ => ExitCode::SUCCESS,
    }
}

fn query(destination: Arg) -> Command {
    Command::new("query")
        .about("Print the rows of a SELECT; the destination stays unchanged")
        .arg(
            Arg::new("sql")
                .required(true)
                .value_name("SQL")
                .help("The statement: 'select status, count(*) from invoices group by 1'"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["table", "csv"])
                .default_value("table")
                .help("Print a table as wide as the terminal, or CSV"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .default_value("1000")
                .help("Print at most this many rows"),
        )
        .arg(destination)
}

fn report(destination: Arg) -> Command {
    Command::new("report")
        .about("Print the report of a load that has ended")
        .arg(
            Arg::new("load").value_name("LOAD_ID").help(
                "The id of the load, one of those that `loads` lists [default: the last one]",
            ),
        )
        .arg(
            Arg::new("html")
                .long("html")
                .action(ArgAction::SetTrue)
                .conflicts_with("format")
                .help("Print one page of HTML, which loads nothing: `report --html > report.html`"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .default_value("text")
                .help("Print it as text, or as the JSON that `sync --report` writes"),
        )
        .arg(destination)
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
            .help(match takes_outside(setting, settings) {
                true => format!(
                    "{help} (other users of the machine see a flag in `ps`: prefer the variable) [env: {variable}, {variable}_FILE with a file that holds it, or {variable}_CMD with a command that prints it]"
                ),
                false => format!("{help} [env: {variable}]"),
            })
            .help_heading("Settings")
            .allow_hyphen_values(true)
            .global(true)
    })
}

/// Returns the flag of a profile, which every command has.
pub fn profile(prefix: &str) -> Arg {
    Arg::new("profile")
        .long("profile")
        .value_name("NAME")
        .value_parser(filled)
        .help(format!(
            "Use the values below `[profiles.NAME]` in {}.toml before the others there [env: {prefix}_PROFILE]",
            prefix.to_lowercase()
        ))
        .help_heading("Settings")
        .global(true)
}

/// Returns the profile that the arguments name. It is known before they are parsed: the default
/// destination may be that of the profile.
pub fn named_profile(arguments: impl Iterator<Item = std::ffi::OsString>) -> Option<String> {
    let mut arguments = arguments.map(|it| it.to_string_lossy().into_owned());
    let mut named = None;
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--profile") {
            _ if argument == "--" => break,
            Some("") => named = arguments.next(),
            Some(rest) if rest.starts_with('=') => named = Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    named
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
        Some(("extract", _)) => true,
        _ => false,
    }
}

fn sync(destination: Arg) -> Command {
    let under = |heading: &'static str, args: Vec<Arg>| {
        args.into_iter().map(move |arg| arg.help_heading(heading))
    };
    Command::new("sync")
        .about("Load the resources into a destination, from where the last run stopped")
        .args(under("What is read", what_is_read()))
        .args(under("How it is loaded", how_it_is_loaded(destination)))
        .args(under("Requests", requests()))
        .args(under("What is told", what_is_told()))
}

/// Returns the options that say what a run reads, and into which tables.
fn choices() -> Vec<Arg> {
    let mut args = chosen();
    args.extend([contract(), layout()]);
    args
}

fn what_is_read() -> Vec<Arg> {
    let mut args = chosen();
    args.push(limit());
    args
}

fn chosen() -> Vec<Arg> {
    let mut args = vec![
        resources("Load only these resources, separated by commas (their parents are read too)"),
        Arg::new("select")
                .long("select")
                .value_parser(filled)
                .value_name("RESOURCE.FIELD")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Load only these fields of a resource, nested fields included ('invoices.lines.amount'; '*' and '?' match names), or all but these ('!invoices.metadata'); keys and cursors always stay. A record that exists already gets null in its other columns [default: all]"),
    ];
    args.extend(bounds());
    args.extend([
        Arg::new("window")
                .long("window")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Split the range from `--since`, or from the cursor, into windows of this length (30d, 12h) and read them in parallel"),
        Arg::new("full-refresh")
                .long("full-refresh")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["since", "until"])
                .help("Read everything again, and replace the tables once all of it has arrived"),
    ]);
    args
}

fn how_it_is_loaded(destination: Arg) -> Vec<Arg> {
    vec![
        destination,
        contract(),
        Arg::new("checkpoint-rows")
            .long("checkpoint-rows")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("Commit after this many records [default: the destination's]"),
        layout(),
    ]
}

fn contract() -> Arg {
    Arg::new("contract")
                .long("contract")
                .value_parser(filled)
                .value_name("[RESOURCE:][ENTITY=]MODE")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Choose what happens to data that the structs do not declare: ENTITY is tables, columns or types (all three by default), MODE is evolve, freeze, discard_row or discard_value [default: as the resources declare]")
}

fn layout() -> Arg {
    Arg::new("layout")
                .long("layout")
                .value_name("LAYOUT")
                .value_parser(["etl", "dlt"])
                .default_value("etl")
                .help("Choose the names of system columns and the form of ids; `dlt` writes them as dlt does, with its `_dlt_loads` and `_dlt_version`")
}

fn requests() -> Vec<Arg> {
    let mut args = vec![
        rate(),
        Arg::new("max-time")
                .long("max-time")
                .value_name("DURATION")
                .value_parser(duration)
                .help("Stop after this long (90s, 10m, 1h30m), as on a signal: commit the pages in progress, and let the next run continue"),
        allow_http(),
    ];
    args.extend(tape());
    args
}

fn what_is_told() -> Vec<Arg> {
    let mut args = Vec::from(detail());
    args.extend(plan());
    args.extend(outcome());
    args.push(log_format());
    args
}

fn detail() -> [Arg; 2] {
    [
        Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .conflicts_with("verbose")
            .help("Tell only failures, what needs attention, and the totals"),
        Arg::new("verbose")
            .long("verbose")
            .short('v')
            .action(ArgAction::SetTrue)
            .help("Tell each commit, each wait and each resource that ends, too"),
    ]
}

fn log_format() -> Arg {
    Arg::new("log-format")
        .long("log-format")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("Log progress to standard error as text, or as one JSON object per line")
}

fn outcome() -> [Arg; 2] {
    [report_file(), require()]
}

fn report_file() -> Arg {
    Arg::new("report")
        .long("report")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Write the report of the run as JSON, even if the run fails")
}

fn require() -> Arg {
    Arg::new("require")
            .long("require")
            .value_name("GRADE")
            .value_parser(Required::ALL.map(Required::name))
            .default_value(Required::Any.name())
            .help("Exit with 6 if the proof of a resource is weaker than this; with `any`, only a contradiction fails")
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
            .value_parser(match cfg!(feature = "parquet") {
                true => vec!["text", "full", "json", "jsonl"],
                false => vec!["text", "full", "json"],
            })
            .default_value("text")
            .requires("plan")
            .help("Print the plan as text, with the columns of wide tables (full), as JSON, or the slices that `extract` could take as lines of JSON (jsonl)"),
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
        .arg(limit())
        .args(bounds())
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
        .arg(
            Arg::new("head")
                .long("head")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("Print the first rows of each table too"),
        )
        .arg(
            Arg::new("table")
                .value_name("TABLE")
                .requires("head")
                .help("Print the rows of this table only"),
        )
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
        .subcommand(
            Command::new("vacuum")
                .about("Remove what no commit needs, and merge small files; no row changes")
                .arg(
                    Arg::new("wait")
                        .long("wait")
                        .value_name("DURATION")
                        .value_parser(waiting)
                        .default_value("60s")
                        .help("Remove the files whose rows were merged only after this time, for readers that have listed them before: 10m, 45s, or 0s"),
                )
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

fn limit() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("N")
        .value_parser(value_parser!(u64).range(1..))
        .help("Read at most this many records of each resource")
}

fn bounds() -> [Arg; 2] {
    let bound = |name: &'static str, help| {
        Arg::new(name)
            .long(name)
            .value_parser(filled)
            .value_name("TIME")
            .help(help)
    };
    [
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

/// Returns the commands of a run whose slices are read by several processes.
#[cfg(feature = "parquet")]
fn slices(destination: &dyn Fn() -> Arg) -> [Command; 3] {
    [
        Command::new("plan")
            .about("List the slices of a run, one JSON object per line, for several processes to `extract`")
            .arg(
                place("out")
                    .required_unless_present("run")
                    .help("Begin a run in this folder, or below this URL of a bucket (s3://BUCKET/PREFIX)"),
            )
            .arg(
                place("run")
                    .conflicts_with("out")
                    .help("List the slices of this run that are not extracted; none: `commit` can follow"),
            )
            .arg(
                Arg::new("group")
                    .long("group")
                    .value_name("N")
                    .value_parser(value_parser!(u64).range(1..))
                    .help("Extract up to this many lists of a child resource at once [default: 25]"),
            )
            .arg(destination())
            .args(choices())
            .arg(require()),
        Command::new("extract")
            .about("Read one slice of a run into files, and write a receipt")
            .arg(place("out").required(true).help("The folder or the bucket of the run, the argument of `plan --out`"))
            .arg(
                Arg::new("slice")
                    .long("slice")
                    .value_name("JSON")
                    .required(true)
                    .value_parser(filled)
                    .help("The slice, a line of `plan`; `-` reads one line from standard input"),
            )
            .arg(
                Arg::new("budget-url")
                    .long("budget-url")
                    .value_name("URL")
                    .value_parser(filled)
                    .help("Lease each request from the budget that several processes share at this URL (docs/slices.md)"),
            )
            .arg(rate())
            .arg(allow_http()),
        Command::new("commit")
            .about("Load everything that a run has extracted, with the state, in one commit")
            .arg(place("run").required(true).help("The folder or the bucket of the run, the argument of `plan --out`"))
            .arg(destination())
            .arg(report_file())
            .arg(wait()),
    ]
}

#[cfg(feature = "parquet")]
fn place(name: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FOLDER|URL")
        .value_parser(filled)
}
