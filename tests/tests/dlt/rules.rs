//! Every difference between etlgen's tables and dlt's, with its reason. `docs/normalisation.md` has the same list for
//! readers.

use etlgen_tests::tables::seconds;

use super::compare::{Cell, Difference, family};

pub struct Rule {
    pub name: &'static str,
    pub why: &'static str,
    /// Returns whether a difference, among all those of its group, has exactly this kind.
    pub fits: fn(&Difference, &[Difference]) -> bool,
}

pub const RULES: &[Rule] = &[
    Rule {
        name: "a number or boolean among texts",
        why: "dlt writes it as text, `True` for true; here `7` and `\"7\"` stay distinct, in a variant",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let same = match ours.ty.as_str() {
                    "bool" => dlt.text.to_lowercase() == ours.text,
                    "bigint" | "double" => number(dlt) == number(ours),
                    _ => false,
                };
                same && dlt.ty == "text" && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "text that reads as a number, among numbers",
        why: "dlt reads it; here it stays text, in a variant",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let numeric = matches!(dlt.ty.as_str(), "bigint" | "double");
                numeric && ours.ty == "text" && number(dlt) == number(ours) && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "a number or a word among booleans",
        why: "dlt makes 5 and `yes` true, which cannot be undone; here they are variants",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let meant = match ours.ty.as_str() {
                    "text" => matches!(
                        ours.text.to_lowercase().as_str(),
                        "yes" | "true" | "t" | "y" | "1"
                    ),
                    "bigint" | "double" => number(ours) != Some(0.0),
                    _ => return false,
                };
                dlt.ty == "bool" && dlt.text == meant.to_string() && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "a number among times",
        why: "dlt reads any number as seconds since 1970; here it stays a number, in a variant",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let numeric = matches!(ours.ty.as_str(), "bigint" | "double");
                numeric
                    && dlt.ty == "timestamp"
                    && seconds(&dlt.text) == number(ours)
                    && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "a day among times",
        why: "dlt converts it to the midnight of that day; here it stays text, in a variant",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let midnight = format!("{}T00:00:00.000000Z", ours.text);
                dlt.ty == "timestamp"
                    && ours.ty == "text"
                    && dlt.text == midnight
                    && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "an integer that a double cannot hold, among doubles",
        why: "dlt rounds it; here it stays exact, in a variant",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let rounded = number(dlt) == number(ours);
                let lossy =
                    ours.text.parse::<i128>().ok() != number(dlt).map(|number| number as i128);
                dlt.ty == "double" && ours.ty == "bigint" && rounded && lossy && variant(dlt, ours)
            })
        },
    },
    Rule {
        name: "a time next to a column of another type",
        why: "dlt calls the variant `__v_text` and makes it a timestamp, so that the next text there fails the load; \
              here its name is its type",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                let same = (&dlt.ty, &dlt.text) == (&ours.ty, &ours.text);
                let names =
                    dlt.column.ends_with("__v_text") && ours.column.ends_with("__v_timestamp");
                same && dlt.ty == "timestamp" && names && plain(&dlt.column) == plain(&ours.column)
            })
        },
    },
    Rule {
        name: "a time in another spelling of ISO 8601, or with more than six digits of a second",
        why: "dlt reads it as a time and cuts the digits; here text is a time only if it is RFC 3339 and nothing is lost",
        fits: |found, _| {
            pair(found).is_some_and(|(dlt, ours)| {
                (dlt.ty.as_str(), ours.ty.as_str()) == ("timestamp", "text")
                    && dlt.column == ours.column
                    && (ours.text.len() != 20 || ours.text.get(7..8) != Some("-"))
                    && ours.text.get(..4) == dlt.text.get(..4)
            })
        },
    },
    Rule {
        name: "a number beyond doubles",
        why: "dlt converts it to null; here it is JSON with all digits",
        fits: |found, _| {
            let beyond =
                |cell: &Cell| cell.ty == "json" && number(cell).is_some_and(f64::is_infinite);
            found.dlt.is_empty() && found.ours.iter().all(beyond) && found.ours.len() == 1
        },
    },
    Rule {
        name: "keys with the same name",
        why: "dlt keeps the last value; here each has a column",
        fits: |found, _| {
            let last = |cell: &Cell| found.ours.iter().any(|ours| ours.text == cell.text);
            let numbered = |cell: &Cell| is_numbered(plain(&cell.column), family(&cell.column));
            !found.whole && found.dlt.iter().all(last) && found.ours.iter().any(numbered)
        },
    },
    Rule {
        name: "lists with the same name",
        why: "dlt puts them into one table, where two rows have one id or parents of two tables; here each has a table",
        fits: |found, all| {
            let same = |one: &[Cell], other: &[Cell]| {
                let keys = ["_dlt_list_idx", "_dlt_parent_id"];
                keys.iter()
                    .all(|key| get(one, key).is_some() && get(one, key) == get(other, key))
            };
            match (found.whole, found.dlt.is_empty(), found.ours.is_empty()) {
                // This is the row that dlt has elsewhere, or has lost.
                (true, true, false) => {
                    let plain = found.table.rsplit_once('_').map_or("", |(plain, _)| plain);
                    is_numbered(&found.table, plain)
                }
                (true, false, true) => all.iter().any(|other| {
                    other.whole
                        && is_numbered(&other.table, &found.table)
                        && same(&found.dlt, &other.ours)
                }),
                (false, false, false) => all.iter().any(|other| {
                    let value = get(&found.dlt, "value");
                    other.whole
                        && is_numbered(&other.table, &found.table)
                        && get(&other.ours, "value") == value
                }),
                _ => false,
            }
        },
    },
    Rule {
        name: "a duplicate key",
        why: "dlt keeps the last value; here the second has the column `__again`, and two lists are one longer list",
        fits: |found, all| {
            let again = found.ours.iter().any(|ours| {
                let texts = found.dlt.iter().map(|cell| &cell.text);
                ours.column.ends_with("__again") && texts.eq([&ours.text])
            });
            let value = |cells: &[Cell]| get(cells, "value").map(str::to_owned);
            let longer = all.iter().any(|other| match (found.whole, other.whole) {
                (true, false) => {
                    found.dlt.is_empty()
                        && found.table == other.table
                        && value(&found.ours) == value(&other.dlt)
                }
                (false, true) => {
                    other.dlt.is_empty()
                        && found.table == other.table
                        && value(&other.ours) == value(&found.dlt)
                }
                _ => false,
            });
            again || longer && value(if found.whole { &found.ours } else { &found.dlt }).is_some()
        },
    },
    Rule {
        name: "a key of the API with the name of a system column",
        why: "dlt reads the value as its own; here it goes to a column with a number, and the system column keeps its name",
        fits: |found, _| {
            // An id that dlt computes has 14 characters.
            let foreign = |cell: &Cell| {
                matches!(cell.column.as_str(), "_dlt_id" | "_dlt_parent_id")
                    && cell.text.len() != 14
            };
            let own = |cell: &Cell| cell.column.starts_with("_dlt_") && cell.column.ends_with("_2");
            found.whole && (found.dlt.iter().any(foreign) || found.ours.iter().any(own))
        },
    },
];

/// Returns the cells of a difference with one cell on each side.
fn pair(found: &Difference) -> Option<(&Cell, &Cell)> {
    match (found.whole, found.dlt.as_slice(), found.ours.as_slice()) {
        (false, [dlt], [ours]) => Some((dlt, ours)),
        _ => None,
    }
}

fn plain(column: &str) -> &str {
    column.split("__v_").next().unwrap_or(column)
}

/// Returns whether our cell is in the variant column, with its own type, of dlt's single column.
fn variant(dlt: &Cell, ours: &Cell) -> bool {
    ours.column == format!("{}__v_{}", plain(&dlt.column), ours.ty)
}

fn number(cell: &Cell) -> Option<f64> {
    let text = cell.text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16)
            .ok()
            .map(|number| number as f64),
        None => text.parse().ok(),
    }
}

fn get<'a>(cells: &'a [Cell], column: &str) -> Option<&'a str> {
    let cell = cells.iter().find(|cell| cell.column == column);
    cell.map(|cell| cell.text.as_str())
}

/// Returns whether a name is another one with a number.
fn is_numbered(name: &str, plain: &str) -> bool {
    let number = name
        .strip_prefix(plain)
        .and_then(|rest| rest.strip_prefix('_'));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}
