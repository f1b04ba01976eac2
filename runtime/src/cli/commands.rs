//! The commands `sync`, `check`, `discover`, `resources` and `read`, and what all commands share.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use serde_json::json;

use super::args::Named;
use super::log::JsonLog;
use super::progress::Teller;
use super::table::align;
use super::{EXIT_PARTIAL, EXIT_STOPPED, out, report, rollback, state, stop_on_signals, tables};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{self, Destination, LoadInfo, Memory, destination};
use crate::record::SelectRule;
use crate::run::{self, Observer, Outcome, Required, RunOptions, RunPlan, RunReport};
use crate::schema::{ColumnRole, ContractRule, Layout, TableSchema};
use crate::source::Source;
use crate::state::Declared;

/// Runs the command that was given; gives the exit code.
pub fn run(matches: &ArgMatches, source: &Source) -> Result<u8> {
    match matches.subcommand() {
        Some(("sync", matches)) => sync(matches, &asked(matches, source)),
        Some(("check", matches)) => {
            out(&block_on(run::check(&asked(matches, source)))??)?;
            Ok(0)
        }
        Some(("discover", _)) => discover(source),
        Some(("resources", _)) => resources(source),
        Some(("read", matches)) => read(matches, &asked(matches, source)),
        Some(("tables", matches)) => match matches.subcommand() {
            Some(("rename", matches)) => tables::rename(matches, source),
            Some(("drop", matches)) => tables::drop(matches, source),
            _ => tables::list(matches, source),
        },
        Some(("state", matches)) => match matches.subcommand() {
            Some(("show", matches)) => state::show(matches, source),
            Some(("reset", matches)) => state::reset(matches, source),
            Some(("export", matches)) => state::export(matches, source),
            Some(("import", matches)) => state::import(matches, source),
            Some(("rewind", matches)) => state::rewind(matches, source),
            _ => Ok(2),
        },
        Some(("rollback", matches)) => rollback::rollback(matches, source),
        _ => Ok(2),
    }
}

/// The source with the rate, the tape and the permissions of the command line.
fn asked(matches: &ArgMatches, source: &Source) -> Source {
    let mut source = source.clone();
    if let Ok(Some(requests)) = matches.try_get_one::<f64>("requests-per-second") {
        source = source.requests_per_second(*requests);
    }
    if let Ok(Some(true)) = matches.try_get_one::<bool>("allow-http") {
        source = source.allow_http();
    }
    if let Some(folder) = matches.get_one::<PathBuf>("record") {
        source = source.record(folder);
    }
    if let Some(folder) = matches.get_one::<PathBuf>("replay") {
        source = source.replay(folder);
    }
    source
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(future);
    // Name look-ups under way must not delay the end.
    runtime.shutdown_background();
    Ok(result)
}

fn options(matches: &ArgMatches) -> RunOptions {
    let text = |name| matches.get_one::<String>(name).cloned();
    RunOptions {
        limit: matches.get_one::<u64>("limit").copied(),
        since: text("since"),
        until: text("until"),
        ..RunOptions::default()
    }
}

pub(super) fn chosen(matches: &ArgMatches) -> Vec<String> {
    let names = matches.get_many::<String>("resources");
    names
        .into_iter()
        .flatten()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

pub(super) fn contracts(matches: &ArgMatches) -> Result<Vec<ContractRule>> {
    rules(matches, "contract")
}

pub(super) fn selected(matches: &ArgMatches) -> Result<Vec<SelectRule>> {
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

/// The options of `sync`.
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

/// What a run would do. Nothing is sent, locked or written.
fn planned(matches: &ArgMatches, source: &Source) -> Result<RunPlan> {
    let options = sync_options(matches)?;
    let now = source.world.time();
    let load = LoadInfo::new(run::load_id(now), source.name(), options.layout);
    let memory = load::look(&*into(matches, source)?, &load)?;
    run::plan(source, &memory, &options, now)
}

fn plan(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let plan = planned(matches, source)?;
    let format = matches.get_one::<String>("format").map(String::as_str);
    out(&match format {
        Some("json") => serde_json::to_string_pretty(&plan).unwrap_or_default(),
        _ => plan.to_string().trim_end().to_owned(),
    })?;
    Ok(0)
}

fn sync(matches: &ArgMatches, source: &Source) -> Result<u8> {
    if matches.get_flag("plan") {
        return plan(matches, source);
    }
    let options = sync_options(matches)?;
    let teller = Arc::new(Teller::new(&source.world));
    let json = matches
        .get_one::<String>("log-format")
        .is_some_and(|name| name == "json");
    let observer: Arc<dyn Observer> = match json {
        true => Arc::new(JsonLog(source.world.clone())),
        false => teller.clone(),
    };
    let stop = options.stop.clone();
    let report = into(matches, source).and_then(|into| {
        block_on(async move {
            tokio::spawn(stop_on_signals(stop));
            run::sync(source, into, &options, observer).await
        })?
    });
    teller.clear();
    if let Some(file) = matches.get_one::<PathBuf>("report") {
        let report = match &report {
            Ok(report) => report.to_json(),
            Err(error) => failed_report(source, error),
        };
        write_report(file, &report)?;
    }
    let report = report?;
    let limited = matches.get_one::<u64>("limit").is_some();
    out(&report::render(&report, limited))?;
    Ok(exit_code(&report, limited))
}

/// The report of a run that failed as a whole: the keys of [`RunReport::to_json`] that apply.
fn failed_report(source: &Source, error: &Error) -> serde_json::Value {
    let message = source.redactor().redact(&error.report());
    json!({
        "version": 1,
        "source": source.name(),
        "complete": false,
        "error": {"kind": error.kind().name(), "message": message},
        "resources": [],
    })
}

/// Writes the file beside and moves it into place, so that no reader finds half of it.
fn write_report(file: &Path, report: &serde_json::Value) -> Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, format!("{report:#}\n"))
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| Error::file(ErrorKind::System, "write", file, error).at("--report"))
}

/// The exit code: that of the error if the credentials were refused or all resources failed with the same kind,
/// [`EXIT_PARTIAL`] if some failed or are less sure to be whole than the run requires.
pub(super) fn exit_code(report: &RunReport, limited: bool) -> u8 {
    if report.refused {
        return ErrorKind::Credentials.exit_code();
    }
    let outcomes = || report.resources.iter().map(|resource| &resource.outcome);
    let failures: Vec<u8> = outcomes()
        .filter_map(|outcome| match outcome {
            Outcome::Failed(kind, _) => Some(kind.exit_code()),
            _ => None,
        })
        .collect();
    let stopped = outcomes().any(|outcome| matches!(outcome, Outcome::Stopped));
    match failures.first() {
        Some(code)
            if failures.len() == report.resources.len()
                && failures.iter().all(|other| other == code) =>
        {
            *code
        }
        Some(_) => EXIT_PARTIAL,
        None if stopped && !limited => EXIT_STOPPED,
        None if report.resources.iter().any(|r| !r.meets(report.required)) => EXIT_PARTIAL,
        None => 0,
    }
}

fn discover(source: &Source) -> Result<u8> {
    let tables = run::discover(source)?;
    let tables: Vec<_> = tables.iter().map(table_json).collect();
    let text = serde_json::to_string_pretty(&json!({"source": source.name(), "tables": tables}));
    out(&text.unwrap_or_default())?;
    Ok(0)
}

fn table_json(table: &TableSchema) -> serde_json::Value {
    let columns = table.columns.iter().map(|column| {
        let mut json = json!({"name": column.name, "type": column.ty.name()});
        if column.role != ColumnRole::Data {
            json["role"] = column.role.name().into();
        }
        json
    });
    json!({
        "name": table.name,
        "resource": table.resource,
        "parent": table.parent,
        "columns": columns.collect::<Vec<_>>(),
    })
}

fn resources(source: &Source) -> Result<u8> {
    let head = [
        "resource", "endpoint", "key", "pages", "cursor", "parent", "rows",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut off = Vec::new();
    for resource in source.describe() {
        off.extend(resource.off.map(|reason| (resource.name.clone(), reason)));
        rows.push(vec![
            resource.name,
            format!("{} {}", resource.method, resource.path),
            resource.key.join(", "),
            resource.paginator,
            resource.cursor.unwrap_or_default(),
            resource.parent.unwrap_or_default(),
            format!("{:?}", resource.disposition).to_lowercase(),
        ]);
    }
    let mut lines = align(&rows);
    lines.extend(report::off(&off));
    out(&lines.join("\n"))?;
    Ok(0)
}

fn read(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let resource = matches
        .get_one::<String>("resource")
        .map_or("", String::as_str);
    let options = options(matches);
    let mut print = |record: &[u8]| -> Result<()> {
        let mut stdout = std::io::stdout().lock();
        // JSON may have line breaks between its parts; within strings they are escaped.
        let line: Vec<u8> = record
            .iter()
            .map(|byte| {
                if matches!(byte, b'\n' | b'\r') {
                    b' '
                } else {
                    *byte
                }
            })
            .collect();
        match stdout
            .write_all(&line)
            .and_then(|()| stdout.write_all(b"\n"))
        {
            // The reader has gone away (`| head`).
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => Ok(written?),
        }
    };
    block_on(run::read(source, resource, &options, &mut print))??;
    Ok(0)
}

/// The destination of the command line, or the default; it is not opened.
pub(super) fn into(matches: &ArgMatches, source: &Source) -> Result<Box<dyn Destination>> {
    match matches.get_one::<Named>("destination") {
        Some(named) => named.open(),
        None => destination(&format!("sqlite:{}.db", source.name())),
    }
}

/// Opens a destination that exists; the state comes without the declarations of resources.
pub(super) fn open(
    matches: &ArgMatches,
    source: &Source,
) -> Result<(Box<dyn Destination>, Memory)> {
    let (into, mut memory) = open_whole(matches, source)?;
    Declared::take(&mut memory.state)?;
    Ok((into, memory))
}

/// Opens a destination that exists; the state comes with the declarations of resources.
pub(super) fn open_whole(
    matches: &ArgMatches,
    source: &Source,
) -> Result<(Box<dyn Destination>, Memory)> {
    let mut into = self::into(matches, source)?;
    if !into.exists() {
        let message = format!("{} does not exist", into.describe());
        return Err(Error::new(ErrorKind::Destination, message).hint("`sync` creates it"));
    }
    let load = LoadInfo::new(run::load_id(source.world.time()), source.name(), None);
    let memory = load::open(&mut *into, &load.within(&source.world))?;
    Ok((into, memory))
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;

    use super::super::args;
    use super::*;
    use crate::load::{Chunk, Destinations, LoadStatus};
    use crate::record::Record;
    use crate::schema::{Disposition, TableBatch};
    use crate::source::RecordExt;
    use crate::state::{StateChange, StateRow};

    #[derive(Record)]
    struct Item {
        id: Option<i64>,
    }

    fn sync_with(folder: &Path, words: &[&str]) -> (Result<u8>, serde_json::Value) {
        let report = folder.join("report.json");
        let mut all = vec!["c", "sync", "--report", report.to_str().unwrap()];
        all.extend(words);
        let matches = args::command("c", "1", Destinations::default()).try_get_matches_from(all);
        let source = Source::new("taped", "https://api.example")
            .resource(Item::list("items", "/items").primary_key([Item::ID]));
        let code = run(&matches.unwrap(), &source);
        let written = std::fs::read_to_string(&report).unwrap();
        (code, serde_json::from_str(&written).unwrap())
    }

    #[test]
    fn the_report_is_written_whatever_happens() {
        let folder = tempfile::tempdir().unwrap();
        let tape = folder.path().join("tape");
        std::fs::create_dir(&tape).unwrap();
        let exchange = |status: u16| {
            json!({
                "request": {"method": "GET", "path": "/items"},
                "response": {"status": status, "body": [{"id": 1}, {"id": 2}]},
            })
        };
        let file = tape.join("1.json");
        let into = format!("sqlite:{}", folder.path().join("x.db").display());
        let words = [
            "--replay",
            tape.to_str().unwrap(),
            "--log-format",
            "json",
            "--destination",
        ];
        let words = |into| [&words[..], &[into]].concat();

        std::fs::write(&file, exchange(200).to_string()).unwrap();
        let (code, report) = sync_with(folder.path(), &words(&into));
        assert_eq!((code.unwrap(), &report["complete"]), (0, &json!(true)));
        assert_eq!(report["resources"][0]["records"], 2);

        std::fs::write(&file, exchange(403).to_string()).unwrap();
        let (code, report) = sync_with(folder.path(), &words(&into));
        assert_eq!(code.unwrap(), 3);
        assert_eq!(report["resources"][0]["error"]["kind"], "credentials");

        let (code, report) = sync_with(folder.path(), &words("nowhere:x"));
        assert!(code.is_err());
        assert_eq!(
            (&report["complete"], &report["error"]["kind"]),
            (&json!(false), &json!("usage"))
        );
    }

    /// The files of a folder, with what they hold.
    fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), std::fs::read(&path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }

    #[test]
    fn a_plan_reads_a_destination_and_leaves_no_trace() {
        for kind in ["sqlite", "parquet"] {
            let folder = tempfile::tempdir().unwrap();
            let into = format!("{kind}:{}", folder.path().join("a b?#%.db").display());
            let source = Source::new("taped", "https://api.example")
                .resource(Item::list("items", "/items").primary_key([Item::ID]));
            let planned = || {
                let words = ["c", "sync", "--plan", "--destination", &into];
                let command = args::command("c", "1", Destinations::default());
                let matches = command.try_get_matches_from(words).unwrap();
                let Some(("sync", matches)) = matches.subcommand() else {
                    panic!("it is `sync`")
                };
                super::planned(matches, &source).unwrap()
            };
            let plan = planned();
            assert_eq!(plan.resources[0].write.coming[0].name, "items");
            assert_eq!(files(folder.path()), [], "{kind}");

            let mut open = destination(&into).unwrap();
            let load = LoadInfo::new("1.000000", "taped", Layout::Etl);
            open.open(&load).unwrap();
            let tables = batches(&plan.resources[0].write.coming);
            let chunk = Chunk::new("items", Disposition::Merge, tables);
            open.write(&chunk).unwrap();
            let done = StateRow::new("items", "", r#"{"done":"1.000000"}"#);
            open.commit(&[StateChange::Put(done)], LoadStatus::Complete)
                .unwrap();
            // Another run holds the lock, and its log is not merged into the file yet.
            assert_eq!(planned().resources[0].write.coming, [], "{kind}");
            drop(open);
            let before = files(folder.path());
            let plan = planned();
            assert_eq!(plan.resources[0].write.coming, [], "{kind}");
            assert_eq!(files(folder.path()), before, "{kind}");
            let run::Slices::One(slice) = &plan.resources[0].slices else {
                panic!("{plan}")
            };
            assert_eq!(slice.state.done.as_deref(), Some("1.000000"));
        }
    }

    /// Tables without rows.
    fn batches(tables: &[TableSchema]) -> Vec<TableBatch> {
        let batch = |schema: &TableSchema| {
            let fields: Vec<_> = schema.columns.iter().map(|c| c.arrow_field()).collect();
            TableBatch {
                schema: Arc::new(schema.clone()),
                rows: RecordBatch::new_empty(Arc::new(arrow_schema::Schema::new(fields))),
            }
        };
        tables.iter().map(batch).collect()
    }
}
