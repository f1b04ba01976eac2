//! The command `query`, and `tables --head`.

use std::io::IsTerminal;

use clap::ArgMatches;

use super::target::into;
use super::{out, put, terminal};
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::process::err;
use crate::load::{Answer, Destination};
use crate::run::{Ink, Page, Screen, Table};
use crate::text::alternatives;

pub fn query(matches: &ArgMatches) -> Result<u8> {
    let sql = matches.get_one::<String>("sql").map_or("", String::as_str);
    let most = matches.get_one::<u64>("limit").copied().unwrap_or(1000);
    let into = queried(matches)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let answer = into.query(sql, most)?;
    let format = matches.get_one::<String>("format").map(String::as_str);
    match format {
        // A program gets each text as it is, a terminal without its control characters.
        Some("csv") if std::io::stdout().is_terminal() => out(&csv(&answer))?,
        Some("csv") => put(&csv(&answer))?,
        _ => put(&shown(&answer, terminal::out()))?,
    }
    if answer.is_cut {
        err(&format!(
            "there are more than {most} rows; `--limit` shows more"
        ));
    }
    Ok(0)
}

/// Prints the first rows of these tables, or of the one that is named.
pub fn heads(matches: &ArgMatches, tables: &[&str], most: u64) -> Result<()> {
    let into = queried(matches)?;
    let wanted = matches.get_one::<String>("table").map(String::as_str);
    if let Some(wanted) = wanted.filter(|wanted| !tables.contains(wanted)) {
        let message = format!("there is no table `{wanted}` in {}", into.describe());
        return Err(Error::new(ErrorKind::Usage, message).hint(alternatives(wanted, tables)));
    }
    let chosen = tables
        .iter()
        .filter(|table| wanted.is_none_or(|wanted| wanted == **table));
    for table in chosen {
        let name = table.replace('"', "\"\"");
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let answer = into.query(&format!("SELECT * FROM \"{name}\" LIMIT {most}"), most)?;
        out("")?;
        let mut page = Page::new(terminal::out());
        page.line(Ink::Title, table);
        put(&page.text())?;
        put(&shown(&answer, terminal::out()))?;
    }
    Ok(())
}

/// Returns the destination of the command line, which can be queried.
fn queried(matches: &ArgMatches) -> Result<Box<dyn Destination>> {
    let into = into(matches)?;
    let name = into.describe();
    if !into.capabilities().queries {
        return Err(into.cannot("be queried").hint(
            "SQLite, DuckDB, DuckLake and Postgres can; DuckDB reads Parquet files: `SELECT * FROM read_parquet('FOLDER/TABLE/*.parquet', union_by_name = true)`",
        ));
    }
    if !into.exists() {
        let message = format!("{name} does not exist");
        return Err(Error::new(ErrorKind::Destination, message).hint("`sync` creates it"));
    }
    Ok(into)
}

/// Returns the rows as a table; if that is too wide, the columns of each row one below the other.
fn shown(answer: &Answer, screen: Screen) -> String {
    let names: Vec<(&str, u8)> = answer.columns.iter().map(|name| (&**name, 0)).collect();
    let mut table = Table::new(&names);
    for row in &answer.rows {
        table.row(row.iter().map(cell));
    }
    let mut page = Page::new(screen);
    if table.natural_width() <= screen.width || answer.columns.len() < 2 {
        page.table(&table);
    } else {
        for (at, row) in answer.rows.iter().enumerate() {
            page.line(Ink::Faint, &format!("row {}", at + 1));
            let mut fields = Table::new(&[("", 0), ("", 0)]);
            for (name, value) in answer.columns.iter().zip(row) {
                let (text, ink) = cell(value);
                fields.row([(name.clone(), Ink::Title), (text, ink)]);
            }
            page.fields(&fields);
        }
    }
    let rows = answer.rows.len() as u64;
    page.line(Ink::Faint, &etlgen_model::counted(rows, "row"));
    page.text()
}

fn cell(value: &Option<String>) -> (String, Ink) {
    match value {
        Some(text) => (text.clone(), Ink::Plain),
        None => ("null".to_owned(), Ink::Faint),
    }
}

/// Returns the rows as CSV (RFC 4180); a null is an empty field, an empty text `""`.
fn csv(answer: &Answer) -> String {
    let field = |text: &str| match text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let line = |cells: Vec<String>| cells.join(",");
    let head = line(answer.columns.iter().map(|name| field(name)).collect());
    let rows = answer.rows.iter().map(|row| {
        let cells = row
            .iter()
            .map(|cell| cell.as_deref().map_or(String::new(), field));
        line(cells.collect())
    });
    [head]
        .into_iter()
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        let mut answer = Answer::new(["id", "text"]);
        answer.add(vec![Some("1".into()), Some("a, \"b\"\u{1b}".into())], 9);
        answer.add(vec![Some("2".into()), None], 9);
        answer
    }

    #[test]
    fn rows_are_a_table_where_they_fit_and_a_list_where_not() {
        let screen = |width| Screen {
            width,
            colours: false,
        };
        assert_eq!(
            shown(&answer(), screen(40)),
            "id  text\n 1  a, \"b\"\\u{1b}\n 2  null\n2 rows"
        );
        assert_eq!(
            shown(&answer(), screen(15)),
            "row 1\nid    1\ntext  a, \"b\"\\u…\nrow 2\nid    2\ntext  null\n2 rows"
        );
    }

    #[test]
    fn csv_keeps_commas_and_nulls() {
        let mut answer = answer();
        answer.add(vec![None, Some(String::new())], 9);
        assert_eq!(csv(&answer), "id,text\n1,\"a, \"\"b\"\"\u{1b}\"\n2,\n,\"\"");
    }
}
