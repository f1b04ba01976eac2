//! Dispatches the commands, and implements `check`, `discover`, `resources` and `read`.

use std::io::Write;
use std::path::PathBuf;

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::options::options;
use super::sync::sync;
use super::{block_on, out, report, rollback, state, tables};
use crate::error::Result;
use crate::run;
use crate::schema::{ColumnRole, Dialect, Shape, TableSchema};
use crate::source::Source;
use crate::text::wrapped;

/// Runs the given command and returns the exit code.
pub fn run(matches: &ArgMatches, source: &Source) -> Result<u8> {
    match matches.subcommand() {
        Some(("sync", matches)) => sync(matches, &asked(matches, source)),
        Some(("check", matches)) => {
            out(&block_on(run::check(&asked(matches, source)))??)?;
            Ok(0)
        }
        Some(("discover", matches)) => {
            let format = matches.get_one::<String>("format").map(String::as_str);
            let found = match format {
                Some("json-schema") => schemas(source)?,
                _ => discover(source)?,
            };
            out(&serde_json::to_string_pretty(&found).unwrap_or_default())?;
            Ok(0)
        }
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

/// Returns the source with the rate, the tape and `--allow-http` of the command line.
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

fn discover(source: &Source) -> Result<Value> {
    let tables = run::discover(source)?;
    let tables: Vec<_> = tables.iter().map(table_json).collect();
    Ok(json!({"source": source.name(), "tables": tables}))
}

/// Returns a JSON Schema of the records of each resource.
fn schemas(source: &Source) -> Result<Value> {
    let tables = run::discover(source)?;
    let mut resources = Map::new();
    for name in source.resource_names() {
        let own: Vec<&TableSchema> = tables.iter().filter(|it| it.resource == name).collect();
        let mut schema = Shape::of(&own)?.record_schema(&Dialect::PLAIN);
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["title"] = name.into();
        resources.insert(name.to_owned(), schema);
    }
    Ok(json!({"source": source.name(), "resources": resources}))
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
    out(&described(source).join("\n"))?;
    Ok(0)
}

/// Returns the resources and how each is read, in lines of at most 80 characters.
fn described(source: &Source) -> Vec<String> {
    let (mut lines, mut off) = (Vec::new(), Vec::new());
    for resource in source.describe() {
        off.extend(resource.off.map(|reason| (resource.name.clone(), reason)));
        let rows = format!("{:?}", resource.disposition).to_lowercase();
        let mut parts = vec![match resource.key.join(", ") {
            key if key.is_empty() => rows,
            key => format!("{rows} by {key}"),
        }];
        parts.push(format!("pages: {}", resource.paginator));
        parts.extend(resource.cursor.map(|cursor| format!("cursor: {cursor}")));
        parts.extend(resource.parent.map(|parent| format!("child of {parent}")));
        lines.push(resource.name);
        let request = format!("{} {}", resource.method, resource.path);
        lines.extend(wrapped("  ", 4, &request));
        lines.extend(wrapped("  ", 4, &parts.join("; ")));
    }
    lines.extend(report::off(&off));
    lines
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
            // The reader has closed the pipe (`| head`).
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => Ok(written?),
        }
    };
    block_on(run::read(source, resource, &options, &mut print))??;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{described, schemas};
    use crate::page::Paginator;
    use crate::record::Record;
    use crate::source::{RecordExt, Source};

    #[derive(Record)]
    struct Item {
        id: Option<i64>,
    }

    #[test]
    fn the_records_of_a_resource_have_a_json_schema() {
        let items = Item::list("items", "/items").primary_key([Item::ID]);
        let source = Source::new("shop", "https://api.example").resource(items);
        let schemas = schemas(&source).unwrap();
        let items = &schemas["resources"]["items"];
        assert_eq!(items["title"], "items");
        assert_eq!(
            items["properties"],
            json!({"id": {"type": ["integer", "null"]}})
        );
    }

    #[test]
    fn the_resources_fit_a_terminal() {
        let path = "/organizations/{organization}/projects/{project}/items";
        let paginator = Paginator::token("page[after]", "meta.pagination.cursors.after");
        let items = Item::list("items_of_projects", path).paginate(paginator);
        let source =
            Source::new("wide", "https://api.example").resource(items.primary_key([Item::ID]));
        assert_eq!(
            described(&source),
            [
                "items_of_projects",
                "  GET /organizations/{organization}/projects/{project}/items",
                "  merge by id; pages: token (page[after] from meta.pagination.cursors.after)",
            ]
        );
    }
}
