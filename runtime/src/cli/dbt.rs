//! The tables of a source as a `sources.yml` of dbt.

use std::fmt::Write;

use crate::error::Result;
use crate::run;
use crate::schema::{ColumnRole, TableSchema};
use crate::source::Source;

/// Returns the file. Its texts are JSON strings, which YAML reads as they are.
pub fn sources(source: &Source) -> Result<String> {
    let tables = run::discover(source)?;
    let name = quoted(source.name());
    let mut text = format!(
        "version: 2\n\nsources:\n  - name: {name}\n    description: {}\n    # The schema of the tables, if it is another one than the name of the source.\n    # schema: main\n    tables:\n",
        quoted(&format!(
            "Loaded from the API of {} by etlgen.",
            source.name()
        ))
    );
    let described = source.describe();
    for table in &tables {
        let resource = described.iter().find(|it| it.name == table.resource);
        let what = match (&table.parent, resource) {
            (Some(parent), _) => format!(
                "The items of `{}` in the records of `{parent}`.",
                table.path.trim_start_matches('/')
            ),
            (None, Some(resource)) => format!("{} {}", resource.method, resource.path),
            (None, None) => String::new(),
        };
        let _ = write!(
            text,
            "      - name: {}\n        description: {}\n",
            quoted(&table.name),
            quoted(&what)
        );
        if let (None, Some(column)) = (&table.parent, table.role(ColumnRole::LoadId)) {
            // The id of a load is the time when it began.
            let _ = write!(
                text,
                "        loaded_at_field: {}\n        freshness:\n          warn_after: {{count: 24, period: hour}}\n",
                quoted(&format!(
                    "to_timestamp(cast(\"{}\" as double precision))",
                    column.name.replace('"', "\"\"")
                ))
            );
        }
        columns(&mut text, table);
    }
    Ok(text)
}

fn columns(text: &mut String, table: &TableSchema) {
    text.push_str("        columns:\n");
    for column in &table.columns {
        let what = match column.role {
            ColumnRole::Data => format!("`{}` of the record", column.path.trim_start_matches('/')),
            ColumnRole::RowId => "The id of the row.".to_owned(),
            ColumnRole::LoadId => "The load that wrote the row.".to_owned(),
            role => format!("A system column: {}.", role.name()),
        };
        let _ = write!(
            text,
            "          - name: {}\n            description: {}\n            data_type: {}\n",
            quoted(&column.name),
            quoted(&what),
            column.ty.name()
        );
        if column.role == ColumnRole::RowId {
            text.push_str("            data_tests: [unique, not_null]\n");
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
