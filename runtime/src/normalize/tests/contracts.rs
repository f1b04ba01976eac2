//! Contracts: the data that they create, leave out or refuse.

use super::*;
use crate::schema::Mode;

fn under<T: Record>(contract: Contract, known: &[TableSchema]) -> Normalizer {
    let options = NormalizeOptions {
        contract,
        first_load: known.is_empty(),
        ..NormalizeOptions::new("orders", &[vec!["id".to_owned()]], Disposition::Merge)
    };
    Normalizer::new(T::SCHEMA, options, known).unwrap()
}

fn try_add<T: Record>(normalizer: &mut Normalizer, body: &str) -> Result<()> {
    let copied = BTreeMap::from([("parent".to_owned(), Some("p".to_owned()))]);
    let origin = RowOrigin {
        slice: "",
        pass: "",
        list: 0,
        ordinal: 0,
        copied: &copied,
        deleted: None,
    };
    for row in PageReader::<T>::new(&[], &[]).read(body.as_bytes())?.rows {
        normalizer.append(row.erased(), &origin)?;
    }
    Ok(())
}

fn loaded<T: Record>(contract: Contract, body: &str) -> (String, Vec<String>) {
    let mut normalizer = under::<T>(contract, &[]);
    try_add::<T>(&mut normalizer, body).unwrap();
    let tables = dump(&normalizer.finish().unwrap());
    (tables.replace(" parent=\"p\"", ""), told(&normalizer))
}

fn told(normalizer: &Normalizer) -> Vec<String> {
    let lines = normalizer.drift_lines().into_iter();
    lines
        .map(|(table, keys, what, count)| format!("{table} {keys}: {what} {count}"))
        .collect()
}

/// A new column, a variant, a new table, a new column in a declared child table, a scalar among objects, a duplicate
/// key.
const DRIFT: &str = r#"[{"id":"a","count":1,"lines":[{"amount":1},{"amount":2,"sku":"x"},7]},
    {"id":"b","new":{"deep":true,"none":null}},
    {"id":"c","count":"many"},
    {"id":"d","list":[{"x":1},{"y":[2]}]},
    {"id":"e","id":"again","empty":[],"nothing":null},
    {"id":"f","address":"Bern"}]"#;

#[test]
fn values_are_left_out_and_counted() {
    let (tables, told) = loaded::<Order>(Contract::discard_value(), DRIFT);
    assert_eq!(
        tables,
        "orders id=\"a\" count=1\norders id=\"b\"\norders id=\"c\"\norders id=\"d\"\norders id=\"e\"\norders id=\"f\"\n\
         orders__lines amount=1 _etl_list_idx=0\norders__lines amount=2 _etl_list_idx=1\norders__lines _etl_list_idx=2\n"
    );
    assert_eq!(
        told,
        [
            "orders address: not loaded: value discarded 1",
            "orders count: not loaded: value discarded 1",
            "orders id~again: not loaded: value discarded 1",
            "orders list: not loaded: value discarded 1",
            "orders new.deep: not loaded: value discarded 1",
            "orders__lines (the value itself): not loaded: value discarded 1",
            "orders__lines sku: not loaded: value discarded 1",
        ]
    );
}

#[test]
fn rows_are_left_out_with_their_children_and_their_parents_stay() {
    let (tables, told) = loaded::<Order>(Contract::discard_row(), DRIFT);
    assert_eq!(
        tables,
        "orders id=\"a\" count=1\norders id=\"d\"\norders__lines amount=1 _etl_list_idx=0\n"
    );
    assert_eq!(
        told,
        [
            "orders address: not loaded: row discarded 1",
            "orders count: not loaded: row discarded 1",
            "orders id~again: not loaded: row discarded 1",
            "orders list: not loaded: value discarded 1",
            "orders new.deep: not loaded: row discarded 1",
            "orders__lines (the value itself): not loaded: row discarded 1",
            "orders__lines sku: not loaded: row discarded 1",
        ]
    );
}

#[test]
fn a_row_that_is_left_out_takes_along_all_that_was_made_for_it() {
    let contract = Contract::evolve().types(Mode::DiscardRow);
    let mut normalizer = under::<Order>(contract, &[]);
    let before = normalizer.tables();
    let body = r#"[{"id":"a","fresh":1,"many":[{"x":[1]}],"lines":[{"amount":1,"tags":["t"]}],"count":"z","late":2}]"#;
    try_add::<Order>(&mut normalizer, body).unwrap();
    let made: Vec<TableSchema> = normalizer.tables();
    assert_eq!(made, before);
    let batches = normalizer.finish().unwrap();
    assert_eq!(batches.len(), 1, "child tables have had no rows");
    assert_eq!(batches[0].rows.num_rows(), 0);
    assert_eq!(
        told(&normalizer),
        ["orders count: not loaded: row discarded 1"]
    );
    // The next rows find everything as if the row had never existed.
    let body =
        r#"[{"id":"b","count":1,"lines":[{"amount":2}],"late":"text"},{"id":"a","count":3}]"#;
    try_add::<Order>(&mut normalizer, body).unwrap();
    assert_eq!(
        dump(&normalizer.finish().unwrap()),
        "orders id=\"b\" count=1 late=\"text\" parent=\"p\"\norders id=\"a\" count=3 parent=\"p\"\norders__lines amount=2 _etl_list_idx=0\n"
    );
}

#[test]
fn positions_and_ids_do_not_depend_on_rows_that_are_left_out() {
    let body = r#"[{"id":"a","lines":[{"amount":1},{"amount":"x"},{"amount":3,"tags":["t"]}]}]"#;
    let of = |contract| {
        let mut normalizer = under::<Order>(contract, &[]);
        try_add::<Order>(&mut normalizer, body).unwrap();
        let batches = normalizer.finish().unwrap();
        let lines = batches.iter().find(|b| b.schema.name == "orders__lines");
        (ids(&lines.unwrap().rows), dump(&batches))
    };
    let (all, _) = of(Contract::evolve());
    let (kept, tables) = of(Contract::discard_row());
    assert_eq!(kept, [all[0].clone(), all[2].clone()]);
    assert!(
        tables.contains("orders__lines amount=3 _etl_list_idx=2"),
        "{tables}"
    );
    assert!(
        tables.contains("orders__lines__tags value=\"t\""),
        "{tables}"
    );
}

#[test]
fn what_is_frozen_fails_and_says_what_came_where() {
    for (contract, body, words) in [
        (
            Contract::freeze(),
            r#"[{"id":"a","new":{"deep":1}}]"#,
            ["columns", "`orders`", "`new.deep`", "bigint"],
        ),
        (
            Contract::evolve().types(Mode::Freeze),
            r#"[{"id":"a","count":"x"}]"#,
            ["types", "`orders`", "`count`", "text"],
        ),
        (
            Contract::evolve().tables(Mode::Freeze),
            r#"[{"id":"a","many":[1]}]"#,
            ["tables", "`orders`", "`many`", "list"],
        ),
        (
            Contract::freeze(),
            r#"[{"id":"a","lines":[{"sku":true}]}]"#,
            ["columns", "`orders__lines`", "`sku`", "bool"],
        ),
    ] {
        let mut normalizer = under::<Order>(contract, &[]);
        let error = try_add::<Order>(&mut normalizer, body).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Contract);
        let text = error.report();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(text.contains("--contract"), "{text}");
    }
    // Declared data, even deep and new, and empty data do not violate the contract.
    let fine = r#"[{"id":"a","lines":[{"tags":["x"]}],"grid":[[1]],"extra":{"n":1,"l":["z"]},"gone":null,"none":[],"void":{}}]"#;
    try_add::<Order>(&mut under::<Order>(Contract::freeze(), &[]), fine).unwrap();
}

#[test]
fn a_new_table_gets_all_its_columns_in_the_load_that_makes_it() {
    let contract = Contract::evolve().columns(Mode::Freeze);
    let mut first = under::<Order>(contract, &[]);
    try_add::<Order>(
        &mut first,
        r#"[{"id":"a","list":[{"x":1}]},{"id":"b","list":[{"y":1}]}]"#,
    )
    .unwrap();
    first.finish().unwrap();
    let mut second = under::<Order>(contract, &first.tables());
    try_add::<Order>(&mut second, r#"[{"id":"a","list":[{"x":2,"y":3}]}]"#).unwrap();
    let error = try_add::<Order>(&mut second, r#"[{"id":"b","list":[{"z":1}]}]"#).unwrap_err();
    assert!(error.to_string().contains("`orders__list`"), "{error}");
}

#[test]
fn without_a_struct_the_first_load_makes_everything_and_the_next_ones_keep_to_it() {
    let body = r#"[{"id":1,"a":{"b":[{"c":1}]}},{"id":2,"x":"late","l":[{"m":[1]}]}]"#;
    let contract = Contract::freeze();
    let mut first = under::<Json>(contract, &[]);
    try_add::<Json>(&mut first, body).unwrap();
    let batches = first.finish().unwrap();
    let known: Vec<_> = batches.iter().map(|b| (*b.schema).clone()).collect();
    let mut second = under::<Json>(contract, &known);
    try_add::<Json>(&mut second, body).unwrap();
    for new in [
        r#"[{"id":3,"y":1}]"#,
        r#"[{"id":4,"x":1}]"#,
        r#"[{"id":5,"k":[1]}]"#,
    ] {
        let error = try_add::<Json>(&mut second, new).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Contract, "{new}");
    }
    // The first value fixes the type, in the first load too.
    let mut mixed = under::<Json>(contract, &[]);
    assert!(try_add::<Json>(&mut mixed, r#"[{"id":1,"n":1},{"id":2,"n":2.5}]"#).is_err());
}

#[test]
fn what_a_dynamic_field_holds_is_new_after_the_first_load() {
    let contract = Contract::freeze();
    let mut first = under::<Order>(contract, &[]);
    try_add::<Order>(&mut first, r#"[{"id":"a","extra":{"n":1,"l":[{"k":1}]}}]"#).unwrap();
    let batches = first.finish().unwrap();
    let known: Vec<_> = batches.iter().map(|b| (*b.schema).clone()).collect();
    let mut second = under::<Order>(contract, &known);
    try_add::<Order>(
        &mut second,
        r#"[{"id":"b","extra":{"n":2,"l":[{"k":1}]},"lines":[{"amount":1}]}]"#,
    )
    .unwrap();
    assert!(try_add::<Order>(&mut second, r#"[{"id":"c","extra":{"m":2}}]"#).is_err());
}

#[test]
fn a_field_that_the_struct_has_now_is_no_violation() {
    #[derive(Record)]
    struct Before {
        id: Option<String>,
    }
    let mut first = under::<Before>(Contract::freeze(), &[]);
    try_add::<Before>(&mut first, r#"[{"id":"a"}]"#).unwrap();
    let batches = first.finish().unwrap();
    let known: Vec<_> = batches.iter().map(|b| (*b.schema).clone()).collect();
    let mut second = under::<Order>(Contract::freeze(), &known);
    try_add::<Order>(
        &mut second,
        r#"[{"id":"b","count":1,"lines":[{"amount":1}]}]"#,
    )
    .unwrap();
}
