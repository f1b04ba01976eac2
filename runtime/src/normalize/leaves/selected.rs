//! Checks that loading a selection equals loading everything from documents without the rest,
//! whether the rest was read or not.

use super::*;
use crate::record::{SelectRule, Selection, nested};

/// Returns a pattern: keys of the struct, `*`, and keys that may be unknown.
fn pattern(choices: &mut Choices<'_>, schema: &'static RecordSchema) -> Vec<String> {
    let mut schema = Some(schema);
    let mut keys = Vec::new();
    for _ in 0..=choices.below(4) {
        let fields = schema.map_or(&[][..], |schema| schema.fields);
        let field = fields.get(choices.below(fields.len() + 1));
        schema = field.and_then(|field| nested(field.shape()));
        keys.push(match (choices.below(4), field) {
            (0..=2, Some(field)) => field.key.to_owned(),
            (3, Some(field)) if field.key.is_ascii() && !field.key.is_empty() => {
                format!("{}*", &field.key[..1])
            }
            _ => ["*", "new", "id", "a", "?", "n*"][choices.below(6)].to_owned(),
        });
    }
    keys
}

/// Returns whether the patterns name a place or something around it. Implemented independently of
/// the tested code.
fn named(patterns: &[Vec<String>], path: &[String]) -> bool {
    let fits = |pattern: &str, key: &str| match pattern.split_once('*') {
        Some((head, "")) => key.starts_with(head),
        _ if pattern == "?" => key.chars().count() == 1,
        _ => pattern == key,
    };
    patterns.iter().any(|pattern| {
        pattern.len() <= path.len() && pattern.iter().zip(path).all(|(p, key)| fits(p, key))
    })
}

struct Wishes {
    include: Vec<Vec<String>>,
    exclude: Vec<Vec<String>>,
    always: Vec<Vec<String>>,
}

impl Wishes {
    /// Returns the document with null for every scalar that is not selected.
    fn taken_away(&self, doc: &Doc, path: &mut Vec<String>) -> Doc {
        match doc {
            Doc::List(items) => Doc::List(
                items
                    .iter()
                    .map(|item| self.taken_away(item, path))
                    .collect(),
            ),
            Doc::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    path.push(key.key());
                    let value = self.taken_away(value, path);
                    path.pop();
                    (key.clone(), value)
                });
                Doc::Object(entries.collect())
            }
            scalar => {
                let included = self.include.is_empty() || named(&self.include, path);
                let wanted = included && !named(&self.exclude, path);
                match wanted || named(&self.always, path) {
                    true => scalar.clone(),
                    false => Doc::Null,
                }
            }
        }
    }
}

fn check<T: Record>(choices: &[u16]) -> Result<(), TestCaseError> {
    let mut choices = Choices(choices.iter());
    let key = choices.below(2) == 1;
    let layout = Layout {
        room: (200, usize::MAX),
        names: [crate::schema::Layout::Etl, crate::schema::Layout::Dlt][choices.below(2)],
        key,
        disposition: match choices.below(2) {
            0 => Disposition::Merge,
            _ => Disposition::Append,
        },
        identifier_length: 63,
    };
    let mut patterns = |most| -> Vec<Vec<String>> {
        let many = choices.below(most);
        (0..many)
            .map(|_| pattern(&mut choices, T::SCHEMA))
            .collect()
    };
    let wishes = Wishes {
        include: patterns(4),
        exclude: patterns(3),
        always: if key {
            vec![vec!["id".to_owned()]]
        } else {
            vec![]
        },
    };
    let rules = |exclude, patterns: &[Vec<String>]| -> Vec<SelectRule> {
        let rules = patterns.iter().cloned();
        rules
            .map(|keys| SelectRule::of(exclude, "things", keys))
            .collect()
    };
    let rules = [rules(false, &wishes.include), rules(true, &wishes.exclude)].concat();
    let selection = Selection::new(&rules, "things", wishes.always.clone());
    let docs = 1 + choices.below(4);
    let mut docs: Vec<Doc> = (0..docs).map(|_| choices.document(T::SCHEMA)).collect();
    docs.retain(|doc| !matches!(doc, Doc::Null));
    let body = body(&docs, "");

    let mut normalizer = layout.selecting::<T>(&[], selection.clone());
    let loaded = read::<T>(&mut normalizer, &body, selection.as_ref());
    let taken: Vec<Doc> = docs
        .iter()
        .map(|doc| wishes.taken_away(doc, &mut Vec::new()))
        .collect();
    let wrong = losses(&taken, &loaded);
    let said = format!("{:?} but {:?}\n{body}", wishes.include, wishes.exclude);
    prop_assert!(wrong.is_empty(), "{said}\n{}", wrong.join("\n"));

    let mut unread = layout.selecting::<T>(&[], selection);
    let all = load::<T>(&mut unread, &body);
    for ((batches, rows), (others, other_rows)) in loaded.iter().zip(&all) {
        prop_assert!(same_bytes(batches, others) && rows == other_rows, "{said}");
    }
    prop_assert_eq!(normalizer.drift_lines(), unread.drift_lines(), "{}", said);
    Ok(())
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
    scalars records::Scalars,
    lists records::Lists,
    nested_records records::Nested,
    trees records::Tree,
    odd_keys records::Odd,
    loose_records records::Loose,
    whole_json Json,
}

#[test]
fn what_is_not_wanted_has_no_column_and_no_table_and_is_no_drift() {
    let rules: Vec<SelectRule> = ["things.one.n", "things.two.tags", "things.new.a"]
        .map(|rule| rule.parse().unwrap())
        .to_vec();
    let selection = Selection::new(&rules, "things", vec![vec!["id".to_owned()]]);
    let layout = Layout {
        room: (200, usize::MAX),
        names: crate::schema::Layout::default(),
        key: true,
        disposition: Disposition::Merge,
        identifier_length: 63,
    };
    let mut normalizer = layout.selecting::<records::Nested>(&[], selection);
    let body = r#"[{"id":"x","one":{"n":1,"at":"bad","tags":["t"]},"two":{"tags":["u"],"n":2},"three":5,"new":{"a":1,"b":2},"old":[1]}]"#;
    let loaded = load::<records::Nested>(&mut normalizer, body);
    let tables: Vec<String> = loaded[0]
        .0
        .iter()
        .map(|batch| {
            let data = batch
                .schema
                .columns
                .iter()
                .filter(|c| c.role == ColumnRole::Data);
            let names: Vec<&str> = data
                .map(|column| column.name.as_str())
                .filter(|name| !name.starts_with("id_") && *name != "value_2")
                .collect();
            format!("{} {}", batch.schema.name, names.join(" "))
        })
        .collect();
    assert_eq!(
        tables,
        ["things id one__n new__a value", "things__two__tags value"]
    );
    let told: Vec<String> = normalizer
        .drift_lines()
        .into_iter()
        .map(|line| line.1)
        .collect();
    assert_eq!(told, ["new"]);
}
