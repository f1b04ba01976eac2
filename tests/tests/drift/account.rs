//! Reads each fixture with the possible structs, and prints the result: object, struct, the record as JSON, and each
//! unknown key and misfit as `? keys` and `! keys`, separated by tabs.

use etlgen_runtime::prelude::*;
use etlgen_runtime::__private::{PageReader, RecordSchema, Shape};
use etlgen_runtime::testing;

fn read<T: Record>(object: &str, file: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let body = format!("[{text}]");
    let page = PageReader::<T>::new(&[], &[]).read(body.as_bytes()).unwrap();
    let row = &page.rows[0];
    let mut line = format!("ACCOUNT\t{object}\t{}\t{}", T::SCHEMA.name, testing::json(row));
    for (keys, _) in row.drift.iter() {
        let known = declares(T::SCHEMA, &keys.split('.').collect::<Vec<_>>());
        line.push_str(&format!("\t{} {keys}", if known { '!' } else { '?' }));
    }
    println!("{line}");
}

fn declares(schema: &RecordSchema, keys: &[&str]) -> bool {
    let Some((first, rest)) = keys.split_first() else {
        return true;
    };
    let field = schema.fields.iter().find(|field| field.key == *first);
    field.is_some_and(|field| holds(field.shape(), rest))
}

fn holds(shape: Shape, keys: &[&str]) -> bool {
    match shape {
        Shape::Record(schema) | Shape::Boxed(schema) => declares(schema(), keys),
        Shape::List(list) => keys.is_empty() || holds(list.item(), &keys[1..]),
        _ => true,
    }
}

#[test]
fn account() {
    READ;
}
