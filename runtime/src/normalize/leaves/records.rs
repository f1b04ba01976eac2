//! Structs of many kinds.

use crate::record::{
    Bytes, Date, Decimal, Dynamic, Json, Record, Timestamp, UnixMillis, UnixTime, Uuid,
};

#[derive(Record)]
pub struct Scalars {
    id: Option<String>,
    text: Option<String>,
    int: Option<i64>,
    float: Option<f64>,
    flag: Option<bool>,
    at: Option<Timestamp>,
    seconds: Option<UnixTime>,
    millis: Option<UnixMillis>,
    day: Option<Date>,
    amount: Option<Decimal>,
    uuid: Option<Uuid>,
    bytes: Option<Bytes>,
    json: Option<Json>,
    any: Option<Dynamic>,
}

#[derive(Record)]
pub struct Lists {
    id: Option<i64>,
    texts: Option<Vec<String>>,
    ints: Option<Vec<i64>>,
    floats: Option<Vec<f64>>,
    flags: Option<Vec<bool>>,
    ats: Option<Vec<Timestamp>>,
    seconds: Option<Vec<UnixTime>>,
    amounts: Option<Vec<Decimal>>,
    days: Option<Vec<Date>>,
    uuids: Option<Vec<Uuid>>,
    bytes: Option<Vec<Bytes>>,
    grid: Option<Vec<Vec<i64>>>,
    cube: Option<Vec<Vec<Vec<String>>>>,
    items: Option<Vec<Inner>>,
    tables: Option<Vec<Vec<Inner>>>,
    jsons: Option<Vec<Json>>,
    anys: Option<Vec<Dynamic>>,
    any_grid: Option<Vec<Vec<Dynamic>>>,
}

#[derive(Record)]
pub struct Inner {
    id: Option<String>,
    n: Option<f64>,
    at: Option<UnixMillis>,
    tags: Option<Vec<String>>,
    deeper: Option<Deeper>,
}

#[derive(Record)]
pub struct Deeper {
    value: Option<i64>,
    list: Option<Vec<Deepest>>,
    deepest: Option<Deepest>,
}

#[derive(Record)]
pub struct Deepest {
    flag: Option<bool>,
    amount: Option<Decimal>,
    any: Option<Dynamic>,
    json: Option<Json>,
}

#[derive(Record)]
pub struct Nested {
    id: Option<String>,
    one: Option<Inner>,
    two: Option<Box<Inner>>,
    three: Option<Deeper>,
}

/// A record that contains itself in every way; deeper levels are JSON.
#[derive(Record)]
pub struct Tree {
    id: Option<i64>,
    at: Option<UnixTime>,
    ratio: Option<f64>,
    amount: Option<Decimal>,
    key: Option<Uuid>,
    bytes: Option<Bytes>,
    day: Option<Date>,
    any: Option<Dynamic>,
    json: Option<Json>,
    parent: Option<Box<Tree>>,
    children: Option<Vec<Tree>>,
    #[allow(clippy::vec_box, reason = "an owner may write it")]
    boxes: Option<Vec<Box<Tree>>>,
    grid: Option<Vec<Vec<Tree>>>,
    branch: Option<Box<Branch>>,
}

#[derive(Record)]
pub struct Branch {
    name: Option<String>,
    tree: Option<Box<Tree>>,
    millis: Option<Vec<UnixMillis>>,
}

#[derive(Record)]
pub struct Odd {
    id: Option<String>,
    #[record(key = "")]
    empty: Option<i64>,
    #[record(key = "a.b")]
    dot: Option<Deepest>,
    #[record(key = "a/b")]
    slash: Option<Vec<i64>>,
    #[record(key = "a~b")]
    tilde: Option<i64>,
    #[record(key = "~again")]
    again: Option<String>,
    #[record(key = "a\"b\\")]
    quote: Option<i64>,
    #[record(key = "é")]
    letter: Option<f64>,
    #[record(key = "a_key_that_is_longer_than_any_name_may_be_in_a_table_of_a_destination_1")]
    long: Option<Inner>,
    #[record(key = "_etl_id")]
    etl_id: Option<String>,
    #[record(key = "_etl_load_id")]
    load_id: Option<i64>,
    value: Option<Vec<Odd>>,
    list: Option<Vec<Vec<i64>>>,
}

/// A record in which the wanted name of every column is that of another one.
#[derive(Record)]
pub struct Colliding {
    id: Option<String>,
    #[record(key = "userName")]
    camel: Option<i64>,
    #[record(key = "user_name")]
    snake: Option<String>,
    #[record(key = "user-name")]
    kebab: Option<Vec<i64>>,
    #[record(key = "User__Name")]
    shout: Option<Vec<String>>,
    a: Option<Collided>,
    #[record(key = "ab", column = "a__b")]
    a_b: Option<f64>,
    #[record(key = "x", column = "id")]
    x: Option<Dynamic>,
    #[record(key = "new__v_text")]
    variant: Option<String>,
    new: Option<i64>,
}

#[derive(Record)]
pub struct Collided {
    b: Option<i64>,
    #[record(key = "B")]
    large: Option<Timestamp>,
    within: Option<Vec<Collided>>,
}

#[derive(Record)]
pub struct Loose {
    id: Option<Dynamic>,
    json: Option<Json>,
    any: Option<Dynamic>,
    new: Option<Json>,
    lists: Option<Vec<Vec<Json>>>,
    inner: Option<Deepest>,
}

#[derive(Record)]
pub struct Nothing {}
