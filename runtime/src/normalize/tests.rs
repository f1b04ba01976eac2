//! Records in tables.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};

use super::*;
use crate::record::{Decimal, Dynamic, Json, PageReader, Record, Timestamp, UnixTime};

#[derive(Record)]
struct Order {
    id: Option<String>,
    total: Option<f64>,
    count: Option<i64>,
    created: Option<UnixTime>,
    price: Option<Decimal>,
    address: Option<Address>,
    lines: Option<Vec<Line>>,
    grid: Option<Vec<Vec<i64>>>,
    meta: Option<Json>,
    extra: Option<Dynamic>,
    above: Option<Box<Order>>,
    #[record(column = "renamed")]
    old_name: Option<String>,
}

#[derive(Record)]
struct Address {
    city: Option<String>,
}

#[derive(Record)]
struct Line {
    amount: Option<i64>,
    at: Option<Timestamp>,
    tags: Option<Vec<String>>,
}

mod contracts;

fn normalizer<T: Record>(disposition: Disposition, known: &[TableSchema]) -> Normalizer {
    let options = NormalizeOptions {
        load_id: "1".to_owned(),
        ..NormalizeOptions::new("orders", &[vec!["id".to_owned()]], disposition)
    };
    Normalizer::new(T::SCHEMA, options, known).unwrap()
}

fn add<T: Record>(normalizer: &mut Normalizer, body: &str) -> Vec<bool> {
    let copied = BTreeMap::new();
    let page = PageReader::<T>::new(&[], &[])
        .read(body.as_bytes())
        .unwrap();
    let rows = page.rows.iter().enumerate().map(|(ordinal, row)| {
        let origin = RowOrigin {
            slice: "",
            pass: "",
            list: 0,
            ordinal: ordinal as u64,
            copied: &copied,
            deleted: None,
        };
        normalizer.append(row.erased(), &origin).unwrap()
    });
    rows.collect()
}

/// Returns the tables as text: `table: column=value ...`, without nulls and ids.
fn dump(batches: &[TableBatch]) -> String {
    let mut out = String::new();
    for batch in batches {
        for row in 0..batch.rows.num_rows() {
            out.push_str(&batch.schema.name);
            for (column, array) in batch.schema.columns.iter().zip(batch.rows.columns()) {
                if array.is_valid(row)
                    && matches!(column.role, ColumnRole::Data | ColumnRole::ListIndex)
                {
                    out.push_str(&format!(" {}={}", column.name, cell(array, row)));
                }
            }
            out.push('\n');
        }
    }
    out
}

fn cell(array: &dyn Array, row: usize) -> String {
    use arrow_array::types::*;
    if let Some(array) = array.as_string_opt::<i32>() {
        return format!("{:?}", array.value(row));
    }
    if let Some(array) = array.as_boolean_opt() {
        return array.value(row).to_string();
    }
    if let Some(array) = array.as_primitive_opt::<Int64Type>() {
        return array.value(row).to_string();
    }
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        return format!("{:?}", array.value(row));
    }
    if let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        return format!("@{}", array.value(row));
    }
    if let Some(array) = array.as_primitive_opt::<Decimal128Type>() {
        return format!("{}e-9", array.value(row));
    }
    "?".to_owned()
}

fn ids(rows: &RecordBatch) -> Vec<String> {
    let ids = rows.column(0).as_string::<i32>();
    ids.iter().flatten().map(str::to_owned).collect()
}

#[test]
fn nested_records_are_columns_and_lists_are_tables() {
    let mut normalizer = normalizer::<Order>(Disposition::Merge, &[]);
    add::<Order>(
        &mut normalizer,
        r#"[{"id":"a","total":1,"count":2,"created":1,"price":"1.5","address":{"city":"Bern"},
             "lines":[{"amount":1,"tags":["x","y"]},{"amount":2,"at":"1970-01-01T00:00:01Z"}],
             "grid":[[1,2],[]],"meta":{"k":[1]},"extra":{"n":1,"l":["z"]},
             "above":{"id":"b","count":3},"old_name":"n"}]"#,
    );
    assert_eq!(
        dump(&normalizer.finish().unwrap()),
        r#"orders id="a" total=1.0 count=2 created=@1000000 price=1500000000e-9 address__city="Bern" meta="{\"k\":[1]}" above="{\"id\":\"b\",\"count\":3}" renamed="n" extra__n=1
orders__lines amount=1 _etl_list_idx=0
orders__lines amount=2 at=@1000000 _etl_list_idx=1
orders__lines__tags value="x" _etl_list_idx=0
orders__lines__tags value="y" _etl_list_idx=1
orders__grid _etl_list_idx=0
orders__grid _etl_list_idx=1
orders__grid__list value=1 _etl_list_idx=0
orders__grid__list value=2 _etl_list_idx=1
orders__extra__l _etl_list_idx=0 value="z"
"#
    );
    assert!(normalizer.drift_lines().is_empty());
}

#[test]
fn drift_is_loaded_beside_what_is_declared() {
    let mut normalizer = normalizer::<Order>(Disposition::Merge, &[]);
    add::<Order>(
        &mut normalizer,
        r#"[{"id":"a","count":"many","created":"","new":{"deep":true},"lines":[{"amount":1},7,null],"address":"Bern"},
            {"id":"b","count":99999999999999999999,"new":[1,{"x":2.5}],"userName":1,"user_name":2,"id":"again",
             "lines":{"amount":3},"big":1e999,"when":"2024-01-02T03:04:05Z"},
            {"id":"c","count":[1],"when":"never","half":"\ud800"}]"#,
    );
    assert_eq!(
        dump(&normalizer.finish().unwrap()),
        r#"orders id="a" count__v_text="many" created__v_text="" new__deep=true address="Bern"
orders id="b" count__v_decimal=99999999999999999999000000000e-9 user_name=1 user_name_2=2 id__again="again" lines__amount=3 big="1e999" when=@1704164645000000
orders id="c" when__v_text="never" half="\"\\ud800\""
orders__lines amount=1 _etl_list_idx=0
orders__lines _etl_list_idx=1 value=7
orders__lines _etl_list_idx=2
orders__new _etl_list_idx=0 value=1
orders__new _etl_list_idx=1 x=2.5
orders__count _etl_list_idx=0 value=1
"#
    );
    let lines = normalizer.drift_lines();
    let of = |key: &str| lines.iter().find(|line| line.1 == key).unwrap().clone();
    assert_eq!(of("count").3, 3);
    assert_eq!(of("userName").2, "loaded into the column `user_name`");
}

#[test]
fn a_key_never_becomes_a_system_column() {
    #[derive(Record)]
    struct Marked {
        id: Option<String>,
        #[record(key = "_etl_deleted_at")]
        deleted: Option<String>,
    }
    let body = r#"[{"id":"a","_etl_deleted_at":"x","_ETL_HASH":1,"_etl_load_id":2,"l":[{"_etl_root_id":3}]}]"#;
    let named = "orders id=\"a\" _etl_deleted_at_2=\"x\" _etl_hash_2=1 _etl_load_id_2=2\n";
    let mut first = normalizer::<Marked>(Disposition::Merge, &[]);
    add::<Marked>(&mut first, body);
    let shown = dump(&first.finish().unwrap());
    assert!(shown.contains(named), "{shown}");
    assert!(shown.contains("_etl_root_id_2=3"), "{shown}");
    // The table marks deleted records from a later run on.
    let options = NormalizeOptions {
        load_id: "2".to_owned(),
        marks_deleted: true,
        ..NormalizeOptions::new("orders", &[vec!["id".to_owned()]], Disposition::Merge)
    };
    let mut second = Normalizer::new(Marked::SCHEMA, options, &first.tables()).unwrap();
    add::<Marked>(&mut second, body);
    let shown = dump(&second.finish().unwrap());
    assert!(shown.contains(named), "{shown}");
    let tables = second.tables();
    let mark = tables[0].role(ColumnRole::DeletedAt).unwrap();
    assert_eq!(mark.name, "_etl_deleted_at");
}

#[test]
fn names_types_and_columns_of_an_earlier_run_stay() {
    let mut first = normalizer::<Order>(Disposition::Merge, &[]);
    add::<Order>(
        &mut first,
        r#"[{"id":"a","user_name":1,"l":[1],"x":"text"}]"#,
    );
    first.finish().unwrap();
    let mut second = normalizer::<Order>(Disposition::Merge, &first.tables());
    add::<Order>(
        &mut second,
        r#"[{"id":"a","userName":2,"user_name":1,"x":5}]"#,
    );
    let batches = second.finish().unwrap();
    assert_eq!(
        dump(&batches),
        "orders id=\"a\" user_name=1 user_name_2=2 x__v_bigint=5\n"
    );
    assert!(batches.iter().any(|batch| batch.schema.name == "orders__l"));
}

#[test]
fn a_column_has_its_name_also_if_its_variant_came_first() {
    #[derive(Record)]
    struct Outer {
        a: Option<Middle>,
    }
    #[derive(Record)]
    struct Middle {
        b: Option<Inner>,
    }
    #[derive(Record)]
    struct Inner {
        c: Option<i64>,
    }
    let mut first = normalizer::<Outer>(Disposition::Merge, &[]);
    add::<Outer>(&mut first, r#"[{"a":{"b":{"c":"x"}}}]"#);
    let batches = first.finish().unwrap();
    assert_eq!(dump(&batches), "orders a__b__c__v_text=\"x\"\n");
    let known = [(*batches[0].schema).clone()];
    let mut second = normalizer::<Outer>(Disposition::Merge, &known);
    add::<Outer>(
        &mut second,
        r#"[{"a":{"b":{"c":1}}},{"a":{"b":{"c":true}}}]"#,
    );
    assert_eq!(
        dump(&second.finish().unwrap()),
        "orders a__b__c=1\norders a__b__c__v_bool=true\n"
    );
}

#[test]
fn the_same_input_has_the_same_ids() {
    let body = r#"[{"id":"a","lines":[{"amount":1}]},{"id":null,"count":1},{"id":null,"count":1}]"#;
    let run = |disposition| {
        let mut normalizer = normalizer::<Order>(disposition, &[]);
        add::<Order>(&mut normalizer, body);
        let batches = normalizer.finish().unwrap();
        let all: Vec<_> = batches.iter().map(|batch| ids(&batch.rows)).collect();
        all
    };
    let merged = run(Disposition::Merge);
    assert_eq!(merged, run(Disposition::Merge));
    assert_eq!(merged[0].len(), 3, "rows without a key are all kept");
    assert_ne!(merged[0], run(Disposition::Append)[0]);
}

#[test]
fn a_key_that_comes_twice_in_a_batch_is_announced() {
    let mut merge = normalizer::<Order>(Disposition::Merge, &[]);
    let body = r#"[{"id":"a","count":1},{"id":"a","count":2},{"id":"a","count":1}]"#;
    assert_eq!(add::<Order>(&mut merge, body), [true, false, false]);
    let mut append = normalizer::<Order>(Disposition::Append, &[]);
    assert_eq!(add::<Order>(&mut append, body), [true, true, false]);
}

#[test]
fn json_without_a_struct_is_typed_by_what_it_is() {
    let mut normalizer = normalizer::<Json>(Disposition::Merge, &[]);
    add::<Json>(
        &mut normalizer,
        r#"[{"id":1,"a":{"b":[{"c":null,"d":"x"}]}},{"id":2.0}, 3]"#,
    );
    assert_eq!(
        dump(&normalizer.finish().unwrap()),
        "orders id=1\norders id=2\norders value=3\norders__a__b _etl_list_idx=0 d=\"x\"\n"
    );
}

/// Returns the columns of the root table, without those of the system.
fn columns_of(normalizer: &Normalizer) -> Vec<String> {
    let tables = normalizer.tables();
    let columns = tables[0].columns.iter();
    let data = columns.filter(|column| column.role == ColumnRole::Data);
    data.map(|column| column.name.clone()).collect()
}

#[derive(Record)]
struct Usage {
    id: Option<String>,
    usage: Option<Dynamic>,
}

fn narrow(known: &[TableSchema], widest: usize, most_columns: usize) -> Normalizer {
    let options = NormalizeOptions {
        load_id: "1".to_owned(),
        widest,
        most_columns,
        ..NormalizeOptions::new("orders", &[vec!["id".to_owned()]], Disposition::Merge)
    };
    Normalizer::new(Usage::SCHEMA, options, known).unwrap()
}

#[test]
fn an_object_with_many_keys_becomes_one_column() {
    let mut normalizer = narrow(&[], 3, usize::MAX);
    add::<Usage>(
        &mut normalizer,
        r#"[{"id": "a", "usage": {"u1": 1, "u2": {"x": 2}, "u3": [3], "u4": "4"}},
            {"id": "b", "usage": {"u5": 5, "u6": null}}]"#,
    );
    let batches = normalizer.finish().unwrap();
    assert_eq!(columns_of(&normalizer), ["id", "usage"]);
    let text = dump(&batches).replace('\\', "");
    assert!(
        text.contains(r#"usage="{"u1":1,"u2":{"x":2},"u3":[3],"u4":"4"}""#),
        "{text}"
    );
}

#[test]
fn keys_that_have_columns_keep_them_when_an_object_is_full() {
    let mut normalizer = narrow(&[], 2, usize::MAX);
    add::<Usage>(
        &mut normalizer,
        r#"[{"id": "a", "usage": {"u1": 1, "u2": {"x": 2}}}, {"id": "b", "usage": {"u3": 3, "u1": 4}}]"#,
    );
    let batches = normalizer.finish().unwrap();
    let text = dump(&batches).replace('\\', "");
    for part in [
        "usage__u1=1",
        "usage__u2__x=2",
        "usage__u1=4",
        r#"usage="{"u3":3}""#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The next run knows it from the tables.
    let mut next = narrow(&normalizer.tables(), 2, usize::MAX);
    let body = r#"[{"id": "c", "usage": {"u4": {"y": "\ud800 \"q\""}, "u2": {"z": 1}}}]"#;
    add::<Usage>(&mut next, body);
    let text = dump(&next.finish().unwrap()).replace('\\', "");
    assert!(
        text.contains("usage__u2__z=1") && text.contains(r#""u4":{"y":"#),
        "{text}"
    );
}

#[test]
fn a_table_without_room_puts_the_rest_into_one_column() {
    let mut normalizer = narrow(&[], 200, 5);
    let before = columns_of(&normalizer).len();
    add::<Usage>(
        &mut normalizer,
        r#"[{"id": "a", "k1": 1, "k2": 2, "k3": {"x": 3}, "k4": "4", "a\"b": 5}, {"id": "b", "k1": 6, "k5": 7}]"#,
    );
    let batches = normalizer.finish().unwrap();
    let text = dump(&batches).replace('\\', "");
    let columns = columns_of(&normalizer);
    assert!(columns.contains(&"other_keys".to_owned()), "{columns:?}");
    assert!(columns.len() <= before + 5, "{columns:?}");
    for part in ["k1=1", "k1=6", r#""k4":"4""#, r#""a"b":5"#, r#""k5":7"#] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
