//! Checks that nothing is lost: for any JSON and any struct, the tables hold exactly the scalars of
//! the documents. `docs/normalisation.md` defines which values are equal.

mod doc;
mod found;
mod generate;
mod nested;
mod records;
mod selected;

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use self::doc::Doc;
use self::generate::Choices;
use super::*;
use crate::record::{Json, PageReader, Record};

/// Keys under which some of the structs contain themselves.
const WITHIN_ITSELF: [&str; 8] = [
    "parent", "children", "boxes", "grid", "branch", "tree", "value", "within",
];

/// The layout of a case.
struct Layout {
    key: bool,
    disposition: Disposition,
    identifier_length: usize,
    /// The greatest number of keys of one object, and of columns of a table.
    room: (usize, usize),
    names: crate::schema::Layout,
}

impl Layout {
    fn normalizer<T: Record>(&self, known: &[TableSchema]) -> Normalizer {
        self.selecting::<T>(known, None)
    }

    fn selecting<T: Record>(
        &self,
        known: &[TableSchema],
        selection: Option<Selection>,
    ) -> Normalizer {
        let key = match self.key {
            true => vec![vec!["id".to_owned()]],
            false => vec![],
        };
        let options = NormalizeOptions {
            load_id: "1".to_owned(),
            identifier_length: self.identifier_length,
            layout: self.names,
            selection,
            widest: self.room.0,
            most_columns: self.room.1,
            ..NormalizeOptions::new("things", &key, self.disposition)
        };
        Normalizer::new(T::SCHEMA, options, known).unwrap()
    }
}

/// Loads the documents like a run; returns the batches, and the document of each row of each batch.
fn load<T: Record>(normalizer: &mut Normalizer, body: &str) -> Vec<(Vec<TableBatch>, Vec<usize>)> {
    read::<T>(normalizer, body, None)
}

/// Does the same, but reads only the selected fields.
fn read<T: Record>(
    normalizer: &mut Normalizer,
    body: &str,
    selection: Option<&Selection>,
) -> Vec<(Vec<TableBatch>, Vec<usize>)> {
    let page = PageReader::<T>::new(&[], &[])
        .select(selection)
        .read(body.as_bytes())
        .unwrap();
    // Columns copied from a parent's record do not collide with others.
    let copied = [("id", Some("p")), ("value", None)];
    let copied = copied.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    let copied = BTreeMap::from(copied);
    let mut out = Vec::new();
    let mut rows = Vec::new();
    for (ordinal, row) in page.rows.iter().enumerate() {
        let origin = RowOrigin {
            slice: "s",
            pass: "",
            list: 0,
            ordinal: ordinal as u64,
            copied: &copied,
            deleted: None,
        };
        if !normalizer.append(row.erased(), &origin).unwrap() {
            out.push((normalizer.finish().unwrap(), std::mem::take(&mut rows)));
            assert!(normalizer.append(row.erased(), &origin).unwrap());
        }
        rows.push(ordinal);
    }
    out.push((normalizer.finish().unwrap(), rows));
    out
}

/// Returns the differences between the batches and these documents.
fn losses(docs: &[Doc], loaded: &[(Vec<TableBatch>, Vec<usize>)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (batches, rows) in loaded {
        let mut found = found::leaves(batches, &WITHIN_ITSELF);
        let ids = batches[0].rows.column(0).as_string::<i32>();
        assert_eq!(ids.len(), rows.len());
        for (id, at) in ids.iter().flatten().zip(rows) {
            let mut leaves = Vec::new();
            docs[*at].leaves("", &mut leaves);
            let mut cells = found.remove(id).unwrap_or_default();
            if docs[*at].repeats() {
                // Two lists for one key count as one list or two: the positions of their items are ignored.
                leaves.iter_mut().for_each(|leaf| unplaced(&mut leaf.0));
                cells.iter_mut().for_each(|cell| unplaced(&mut cell.0));
            }
            wrong.extend(found::unpaired(&leaves, &cells));
        }
        wrong.extend(found.keys().map(|id| format!("row {id} came from nowhere")));
        let of_rows: Vec<&Doc> = rows.iter().map(|at| &docs[*at]).collect();
        wrong.extend(nested::losses(batches, &of_rows));
    }
    wrong
}

fn unplaced(path: &mut String) {
    let keys = path.split('/').filter(|key| key.parse::<usize>().is_err());
    *path = keys.collect::<Vec<_>>().join("/");
}

fn body(docs: &[Doc], space: &str) -> String {
    let mut body = String::new();
    Doc::List(docs.to_vec()).write(&mut body, space);
    body
}

/// Checks one case: two runs over documents that the choices generate; the second one knows the
/// tables of the first.
fn check<T: Record>(choices: &[u16]) -> Result<(), TestCaseError> {
    let mut choices = Choices(choices.iter());
    let layout = Layout {
        key: choices.below(2) == 1,
        disposition: match choices.below(2) {
            0 => Disposition::Merge,
            _ => Disposition::Append,
        },
        identifier_length: [63, 255, 20][choices.below(3)],
        names: [crate::schema::Layout::Etl, crate::schema::Layout::Dlt][choices.below(2)],
        room: [
            (200, usize::MAX),
            (200, usize::MAX),
            (1, usize::MAX),
            (3, 9),
            (0, 0),
        ][choices.below(5)],
    };
    let space = ["", " ", "\r\n\t"][choices.below(3)];
    let mut known = Vec::new();
    for _run in 0..2 {
        let mut normalizer = layout.normalizer::<T>(&known);
        let mut other = layout.normalizer::<T>(&known);
        for _page in 0..2 {
            let docs = 1 + choices.below(3);
            let mut docs: Vec<Doc> = (0..docs).map(|_| choices.document(T::SCHEMA)).collect();
            // A null is not a record.
            docs.retain(|doc| !matches!(doc, Doc::Null));
            let body = body(&docs, space);
            let loaded = load::<T>(&mut normalizer, &body);
            let wrong = losses(&docs, &loaded);
            prop_assert!(wrong.is_empty(), "{body}\n{}", wrong.join("\n"));
            for ((batches, _), (others, _)) in loaded.iter().zip(load::<T>(&mut other, &body)) {
                prop_assert!(same_bytes(batches, &others), "{body}");
            }
            let names = unique_names(&loaded[loaded.len() - 1].0);
            prop_assert!(names.is_ok(), "{body}\n{names:?}");
            prop_assert_eq!(normalizer.drift_lines(), other.drift_lines());
            for (batches, _) in loaded {
                let tables = batches.iter().map(|batch| (*batch.schema).clone());
                let tables: Vec<TableSchema> = tables.collect();
                prop_assert!(only_grown(&known, &tables), "{body}");
                known = tables;
            }
        }
        // A destination returns its tables in another order.
        known.sort_by(|one, other| other.name.cmp(&one.name));
    }
    Ok(())
}

fn same_bytes(one: &[TableBatch], other: &[TableBatch]) -> bool {
    let same = |(one, other): (&TableBatch, &TableBatch)| {
        one.schema == other.schema && one.rows == other.rows
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}

/// Returns whether tables and columns are only added at the end, and nothing else changes.
fn only_grown(before: &[TableSchema], after: &[TableSchema]) -> bool {
    before.iter().all(|old| {
        let mut same = after.iter().filter(|new| new.name == old.name);
        same.next().is_some_and(|new| {
            new.columns.starts_with(&old.columns)
                && (&new.parent, &new.path) == (&old.parent, &old.path)
        })
    })
}

/// Checks that no two tables, and no two columns of a table, have the same name, ignoring case.
fn unique_names(batches: &[TableBatch]) -> Result<(), String> {
    let mut tables = HashSet::new();
    for batch in batches {
        let schema = &batch.schema;
        if !tables.insert(schema.name.to_lowercase()) {
            return Err(format!("two tables {}", schema.name));
        }
        let mut columns = HashSet::new();
        for column in &schema.columns {
            if !columns.insert(column.name.to_lowercase()) {
                return Err(format!("two columns {}.{}", schema.name, column.name));
            }
        }
    }
    Ok(())
}

/// Runs 100 cases; `PROPTEST_CASES` sets another number.
fn cases(check: impl Fn(&[u16]) -> Result<(), TestCaseError>) {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 100;
    }
    let choices = prop::collection::vec(any::<u16>(), 0..400);
    TestRunner::new(config)
        .run(&choices, |choices| check(&choices))
        .unwrap_or_else(|error| match error {
            TestError::Fail(why, _) => panic!("{why}"),
            TestError::Abort(why) => panic!("{why}"),
        });
}

#[test]
fn what_is_lost_or_changed_is_seen() {
    let body = r#"[{"texts":["a","b"],"ints":[1,2],"items":[{"n":0.5}]}]"#;
    let layout = Layout {
        room: (200, usize::MAX),
        key: false,
        disposition: Disposition::Merge,
        identifier_length: 63,
        names: crate::schema::Layout::Etl,
    };
    let loaded = load::<records::Lists>(&mut layout.normalizer::<records::Lists>(&[]), body);
    for (other, wrong) in [
        (r#"{"texts":["a","b"],"ints":[1,2],"items":[{"n":0.5}]}"#, 0),
        (r#"{"texts":["b","a"],"ints":[1,2],"items":[{"n":0.5}]}"#, 4),
        (r#"{"texts":["a","b"],"ints":[1],"items":[{"n":0.5}]}"#, 1),
        (
            r#"{"texts":["a","b"],"ints":[1,"2"],"items":[{"n":0.5}]}"#,
            2,
        ),
        (
            r#"{"texts":["a","b","b"],"ints":[1,2],"items":[{"m":0.5}]}"#,
            3,
        ),
    ] {
        assert_eq!(
            losses(&[Doc::parse(other)], &loaded).len(),
            wrong,
            "{other}"
        );
    }
}

macro_rules! properties {
    ($($name:ident $record:ty,)*) => {$(
        #[test]
        fn $name() {
            cases(check::<$record>);
        }
    )*};
}

properties! {
    nothing_of_scalars_is_lost records::Scalars,
    nothing_of_lists_is_lost records::Lists,
    nothing_of_nested_records_is_lost records::Nested,
    nothing_of_trees_is_lost records::Tree,
    nothing_of_odd_keys_is_lost records::Odd,
    nothing_of_colliding_names_is_lost records::Colliding,
    nothing_of_loose_records_is_lost records::Loose,
    nothing_of_unknown_keys_is_lost records::Nothing,
    nothing_of_whole_json_is_lost Json,
}
