//! Tests a connector whose declaration differs from that of the one that filled a destination:
//! loaded data is migrated, no row is loaded twice, and a change that cannot be migrated is
//! reported with the command that resolves it.
//!
//! The expected tables are those that the current connector loads into a new destination.

#[path = "evolve/place.rs"]
mod place;

use etlgen_runtime::load::{Commit, LoadStatus};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::RunOptions;
use etlgen_runtime::state;
use etlgen_tests::tables::assert_same;
use place::{Api, Place, each_place, list, notes};
use serde_json::{Value, json};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    code: Option<String>,
    n: Option<i64>,
    created: Option<UnixTime>,
    updated: Option<Timestamp>,
    lines: Option<Vec<Line>>,
}

#[derive(Record)]
struct Line {
    sku: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(Record)]
struct Part {
    id: Option<i64>,
    bits: Option<Vec<i64>>,
}

fn row(id: i64) -> Value {
    json!({
        "id": id, "code": format!("c{id}"), "n": id * 10, "created": 1_700_000_000 + id,
        "updated": format!("2024-01-0{id}T00:00:00.000000Z"),
        "lines": [{"sku": "a", "tags": ["x", "y"]}, {"sku": format!("b{id}"), "tags": ["z"]}],
    })
}

fn api() -> Api {
    Api::start((1..=5).map(row).collect())
}

fn items(name: &str) -> Resource<Item> {
    list(name, "/items")
}

/// Returns the tables of a new destination.
fn fresh(make: &dyn Fn() -> Place, source: Source) -> etlgen_tests::tables::Tables {
    let place = make();
    place.sync(source);
    place.tables()
}

/// Fills a destination with the old declaration, changes it, kills the run at each commit, and
/// compares with a new destination. Returns the notes of a run that is not killed.
fn goes_along(
    make: &dyn Fn() -> Place,
    before: &dyn Fn() -> Source,
    after: &dyn Fn() -> Source,
) -> String {
    let expected = fresh(make, after());
    let fill = |place: &Place| drop(place.sync(before()));
    Place::dying(make, &fill, after, &|place| {
        assert_same(&expected, &place.tables());
    });
    goes_along_alive(make, before, after)
}

/// Does the same without the kills.
fn goes_along_alive(
    make: &dyn Fn() -> Place,
    before: &dyn Fn() -> Source,
    after: &dyn Fn() -> Source,
) -> String {
    let expected = fresh(make, after());
    let place = make();
    place.sync(before());
    let said = notes(&place.sync(after()));
    assert_same(&expected, &place.tables());
    let again = notes(&place.sync(after()));
    assert!(
        !again.contains(" now") && !again.contains("in full"),
        "{again}"
    );
    assert_same(&expected, &place.tables());
    said
}

#[test]
fn an_unchanged_connector_changes_nothing() {
    each_place(|make| {
        let api = api();
        let source = || {
            api.source()
                .resource(items("items").primary_key([Item::ID]))
        };
        assert_eq!(goes_along(make, &source, &source), "");
    });
}

#[test]
fn another_cursor_reads_once_in_full() {
    each_place(|make| {
        let api = api();
        let keyed = || items("items").primary_key([Item::ID]);
        let created = || {
            let cursor = Cursor::created(Item::CREATED).param("created_since");
            api.source()
                .resource(keyed().incremental(cursor.new_rows_only()))
        };
        let updated = || {
            let cursor = Cursor::updated(Item::UPDATED).param("updated_since");
            api.source().resource(keyed().incremental(cursor))
        };
        let said = goes_along(make, &created, &updated);
        assert_eq!(
            said,
            "read in full once: its cursor was `created` and is `updated` now"
        );
        let place = make();
        place.sync(created());
        place.sync(updated());
        api.asked();
        place.sync(updated());
        let asked = api.asked();
        assert!(
            asked[0].contains("updated_since=2024-01-04T23%3A59%3A59Z"),
            "{asked:?}"
        );
    });
}

#[test]
fn an_imported_state_says_what_it_means() {
    each_place(|make| {
        let api = api();
        let by = |cursor: Cursor<Item>| {
            let items = items("items").primary_key([Item::ID]);
            api.source().resource(items.incremental(cursor))
        };
        let created = || {
            let cursor = Cursor::created(Item::CREATED).param("created_since");
            by(cursor.new_rows_only())
        };
        let updated = || by(Cursor::updated(Item::UPDATED).param("updated_since"));
        let (from, same, other) = (make(), make(), make());
        from.sync(created());
        let text = state::export("shop", &from.remembered().0).unwrap();
        for place in [&same, &other] {
            let (memory, mut into) = place.remembered();
            let changes = state::import(&text, "shop", &["items"], &memory).unwrap();
            into.commit(&Commit::new(1, &changes, &LoadStatus::Complete))
                .unwrap();
        }
        api.asked();
        assert_eq!(notes(&same.sync(created())), "");
        let asked = api.asked();
        assert!(asked[0].contains("created_since=1700000004"), "{asked:?}");
        let said = notes(&other.sync(updated()));
        assert!(said.contains("its cursor was `created`"), "{said}");
        assert_eq!(other.tables()["items"].len(), 5);
    });
}

#[derive(Record)]
struct Dated {
    id: Option<i64>,
    created: Option<Timestamp>,
}

#[test]
fn a_cursor_of_another_format_is_the_same_moment() {
    each_place(|make| {
        let api = api();
        let epoch = || {
            let cursor = Cursor::updated(Item::CREATED).param("created_since");
            let items = items("items").primary_key([Item::ID]);
            api.source().resource(items.incremental(cursor))
        };
        let place = make();
        place.sync(epoch());
        let text = |id: i64| json!({"id": id, "created": format!("2023-11-14T22:13:2{id}Z")});
        api.change(|items| *items = (1..=6).map(text).collect());
        let dated = || {
            let cursor = Cursor::updated(Dated::CREATED).param("created_since");
            let items = list::<Dated>("items", "/items").primary_key([Dated::ID]);
            api.source().resource(items.incremental(cursor))
        };
        api.asked();
        let report = place.sync(dated());
        assert!(!notes(&report).contains("in full"), "{}", notes(&report));
        let asked = api.asked();
        // One step below 1,700,000,005 seconds after 1970.
        assert!(
            asked[0].contains("created_since=2023-11-14T22%3A13%3A24"),
            "{asked:?}"
        );
        assert_eq!(place.tables()["items"].len(), 6);
    });
}

#[test]
fn rows_get_the_ids_of_another_key() {
    each_place(|make| {
        let api = api();
        let key = |key: fn() -> Resource<Item>| {
            let api = &api;
            move || api.source().resource(key())
        };
        let none = key(|| items("items").write(Disposition::Merge));
        let id = key(|| items("items").primary_key([Item::ID]));
        let code = key(|| items("items").primary_key([Item::CODE]));
        let both = key(|| items("items").primary_key([Item::ID, Item::CODE]));
        let said = goes_along(make, &id, &code);
        assert_eq!(
            said,
            "the existing rows have new ids: its primary key was `id` and is `code` now"
        );
        goes_along_alive(make, &code, &both);
        goes_along_alive(make, &none, &id);
    });
}

#[test]
fn records_that_are_gone_from_the_api_keep_their_rows_under_another_key() {
    each_place(|make| {
        let api = api();
        let place = make();
        place.sync(
            api.source()
                .resource(items("items").primary_key([Item::ID])),
        );
        api.change(|items| items.truncate(2));
        place.sync(
            api.source()
                .resource(items("items").primary_key([Item::CODE])),
        );
        assert_eq!(place.tables()["items"].len(), 5);
        assert_eq!(place.tables()["items__lines__tags"].len(), 15);
    });
}

#[test]
fn a_key_that_the_rows_do_not_have_wants_a_full_refresh() {
    each_place(|make| {
        for (spoilt, why) in [
            (json!(null), "`code` is missing in 1 row"),
            (json!("c1"), "the `code` of 1 row is not unique"),
        ] {
            let api = api();
            let place = make();
            let id = || {
                api.source()
                    .resource(items("items").primary_key([Item::ID]))
            };
            let code = || {
                api.source()
                    .resource(items("items").primary_key([Item::CODE]))
            };
            api.change(|items| items[2]["code"] = spoilt);
            place.sync(id());
            let said = place.refused(code());
            for word in ["resource items", "was `id` and is `code` now", why] {
                assert!(said.contains(word), "{word}: {said}");
            }
            assert!(
                said.contains("sync --full-refresh --resources items"),
                "{said}"
            );
            assert_eq!(api.asked().len(), 3, "nothing was read");
            api.change(|items| items[2]["code"] = json!("c3"));
            let options = RunOptions::default().full_refresh(true);
            place.sync_with(code(), &options).unwrap();
            place.sync(code());
            assert_same(&fresh(make, code()), &place.tables());
        }
    });
}

#[test]
fn a_full_refresh_for_another_key_that_dies_goes_on() {
    each_place(|make| {
        let api = api();
        let id = || {
            api.source()
                .resource(items("items").primary_key([Item::ID]))
        };
        let append = || {
            api.source().resource(
                items("items")
                    .primary_key([Item::ID])
                    .write(Disposition::Append),
            )
        };
        let expected = fresh(make, append());
        for commit in 0..6 {
            let place = make();
            place.sync(id());
            let options = RunOptions::default().full_refresh(true).checkpoint_rows(1);
            let died = place.dies(append(), &options, commit);
            let later = RunOptions::default();
            if died && place.sync_with(append(), &later).is_err() {
                // Nothing was committed, so the option is needed again.
                place.sync_with(append(), &options).unwrap();
            }
            place.sync(append());
            assert_same(&expected, &place.tables());
        }
    });
}

#[test]
fn dispositions_change_without_doubled_rows() {
    use Disposition::{Append, Merge, Replace};
    each_place(|make| {
        let api = api();
        let keyed = |disposition| {
            let api = &api;
            move || {
                api.source()
                    .resource(items("items").primary_key([Item::ID]).write(disposition))
            }
        };
        let keyless = |disposition| {
            let api = &api;
            move || api.source().resource(items("items").write(disposition))
        };
        goes_along_alive(make, &keyed(Append), &keyed(Merge));
        goes_along_alive(make, &keyed(Append), &keyed(Replace));
        goes_along_alive(make, &keyed(Replace), &keyed(Merge));
        goes_along_alive(make, &keyed(Merge), &keyed(Replace));
        goes_along_alive(make, &keyless(Replace), &keyed(Merge));
        goes_along_alive(make, &keyed(Merge), &keyless(Replace));
        goes_along(make, &keyed(Replace), &keyed(Append));

        let place = make();
        place.sync(keyed(Merge)());
        let said = place.refused(keyed(Append)());
        assert!(
            said.contains("its write disposition was merge and is append now"),
            "{said}"
        );
        // Without a key the rows would be replaced, which no option requested.
        let said = place.refused(api.source().resource(items("items")));
        assert!(said.contains("key was `id` and is none now"), "{said}");
    });
}

#[test]
fn versions_of_records_are_not_merged_in_silence() {
    each_place(|make| {
        let api = api();
        let place = make();
        let keyed = |disposition| {
            api.source()
                .resource(items("items").primary_key([Item::ID]).write(disposition))
        };
        place.sync(keyed(Disposition::Append));
        api.change(|items| items[0]["n"] = json!(7));
        place.sync(keyed(Disposition::Append));
        assert_eq!(place.tables()["items"].len(), 6);
        let said = place.refused(keyed(Disposition::Merge));
        assert!(said.contains("the `id` of 1 row is not unique"), "{said}");
    });
}

#[test]
fn a_resource_that_got_another_name_takes_its_tables_and_its_state_along() {
    each_place(|make| {
        let api = api();
        let named = |name: &'static str| {
            let api = &api;
            move || {
                let cursor = Cursor::updated(Item::UPDATED).param("updated_since");
                let parts = list::<Part>("parts", "/items/{item}/parts").primary_key([Part::ID]);
                let parts = parts
                    .within_parent()
                    .child_of(name, |item: &Item, request| request.path("item", item.id));
                let items = items(name).primary_key([Item::ID]).incremental(cursor);
                api.source().resource(items).resource(parts)
            }
        };
        let said = goes_along(make, &named("items"), &named("things"));
        assert_eq!(said, "it was called `items` before");
        // The parent is renamed first, and its children later.
        let place = make();
        place.sync(named("items")());
        api.asked();
        let alone = RunOptions::default().resources(["things"]);
        place.sync_with(named("things")(), &alone).unwrap();
        let said = notes(&place.sync(named("things")()));
        assert!(!said.contains("its parent was"), "{said}");
        assert_same(&fresh(make, named("things")()), &place.tables());
        let asked = api.asked();
        assert!(
            asked[0].contains("updated_since=2024-01-04T23%3A59%3A59Z"),
            "{asked:?}"
        );
        if !place.is_sqlite() {
            assert!(!place.folder().join("data/items").exists());
        }
    });
}

#[test]
fn a_name_that_is_said_takes_along_what_is_asked_for_elsewhere() {
    each_place(|make| {
        let api = api();
        let before = || {
            api.source()
                .resource(items("items").primary_key([Item::ID]))
        };
        let renamed =
            |resource: Resource<Item>| api.source().resource(resource.primary_key([Item::ID]));
        let after = || renamed(list("things", "/v2").renamed_from("items"));
        let place = make();
        place.sync(before());
        // Without the old name the resource gets a new table, and the report names the other one.
        let other = make();
        other.sync(before());
        let said = notes(&other.sync(renamed(list("things", "/v2"))));
        assert!(
            said.contains("no resource loads into items, items__lines, items__lines__tags"),
            "{said}"
        );
        assert!(said.contains("`tables rename items NEW`"), "{said}");
        let said = other.refused(after());
        assert!(said.contains("`tables drop things`"), "{said}");

        place.sync(after());
        assert_same(&fresh(make, after()), &place.tables());

        // A run of another resource does not move the tables yet.
        let place = make();
        place.sync(before());
        let others = list::<Item>("others", "/items").primary_key([Item::ID]);
        let options = RunOptions::default().resources(["others"]);
        let report = place.sync_with(after().resource(others), &options);
        assert_eq!(
            report.unwrap().notes,
            [
                "`items` was renamed to `things`: the next load of `things` takes items, items__lines, items__lines__tags over"
            ]
        );
    });
}

#[test]
fn rows_that_cannot_have_other_ids_keep_their_tables() {
    each_place(|make| {
        let api = api();
        let append = |name: &'static str| {
            api.source().resource(
                items(name)
                    .primary_key([Item::ID])
                    .write(Disposition::Append),
            )
        };
        let place = make();
        place.sync(append("items"));
        let before = place.tables();
        let said = notes(&place.sync(append("things")));
        assert!(
            said.contains("its tables keep the names of `items`"),
            "{said}"
        );
        assert_same(&before, &place.tables());
    });
}

macro_rules! retyped {
    ($name:ident, $field:ty) => {
        #[derive(Record)]
        struct $name {
            id: Option<i64>,
            code: Option<String>,
            n: Option<$field>,
            created: Option<UnixTime>,
            updated: Option<Timestamp>,
            lines: Option<Vec<Line>>,
        }
    };
}
retyped!(Texts, String);
retyped!(Doubles, f64);
retyped!(Decimals, Decimal);
retyped!(Times, Timestamp);

#[test]
fn columns_take_wider_types() {
    each_place(|make| {
        let api = api();
        let before = || {
            api.source()
                .resource(items("items").primary_key([Item::ID]))
        };
        macro_rules! becomes {
            ($record:ident, $value:expr, $said:expr) => {
                let place = make();
                api.change(|items| *items = (1..=5).map(row).collect());
                place.sync(before());
                // From now on the API sends the other type, and does not send some records again.
                let value: fn(i64) -> Value = $value;
                let after = || {
                    let items = list::<$record>("items", "/items").primary_key([$record::ID]);
                    api.source().resource(items)
                };
                api.change(|items| {
                    items
                        .iter_mut()
                        .zip(1..)
                        .for_each(|(item, n)| item["n"] = value(n))
                });
                let expected = fresh(make, after());
                api.change(|items| items.truncate(2));
                let said = notes(&place.sync(after()));
                assert_eq!(said, $said);
                assert_same(&expected, &place.tables());
                assert_eq!(notes(&place.sync(after())), "");
            };
        }
        becomes!(
            Texts,
            |n| json!((n * 10).to_string()),
            "the column `n` of `items` was bigint and is text now"
        );
        becomes!(
            Doubles,
            |n| json!(n as f64 * 10.0),
            "the column `n` of `items` was bigint and is double now"
        );
        becomes!(
            Decimals,
            |n| json!((n * 10).to_string()),
            "the column `n` of `items` was bigint and is decimal now"
        );
    });
}

#[test]
fn values_that_a_column_does_not_take_stand_beside_it() {
    each_place(|make| {
        let api = api();
        let place = make();
        place.sync(
            api.source()
                .resource(items("items").primary_key([Item::ID])),
        );
        let times = || {
            let items = list::<Times>("items", "/items").primary_key([Times::ID]);
            api.source().resource(items)
        };
        api.change(|items| items[0]["n"] = json!("2024-05-06T00:00:00Z"));
        let said = notes(&place.sync(times()));
        assert_eq!(
            said,
            "the column `n` of `items` remains bigint: timestamp values go to an additional column `n__v_timestamp`"
        );
        let tables = place.tables();
        let rows: Vec<&String> = tables["items"].values().collect();
        let has = |text: &str| rows.iter().filter(|row| row.contains(text)).count();
        assert_eq!(
            has("n__v_timestamp = \"2024-05-06") + has("n__v_timestamp = 2024-05-06"),
            1
        );
        assert_eq!((has("\nn = 20"), has("\nn = 50")), (1, 1));
        assert_eq!(notes(&place.sync(times())), "");
        // The change is then reverted.
        let said = notes(
            &place.sync(
                api.source()
                    .resource(items("items").primary_key([Item::ID])),
            ),
        );
        assert_eq!(said, "");

        // A double cannot represent this integer.
        let place = make();
        api.change(|items| items[0]["n"] = json!(9_007_199_254_740_993_i64));
        place.sync(
            api.source()
                .resource(items("items").primary_key([Item::ID])),
        );
        let doubles = list::<Doubles>("items", "/items").primary_key([Doubles::ID]);
        let said = notes(&place.sync(api.source().resource(doubles)));
        assert!(said.contains("remains bigint"), "{said}");
        let tables = place.tables();
        let mut rows = tables["items"].values();
        assert!(
            rows.any(|row| row.contains("9007199254740993")),
            "{tables:?}"
        );
    });
}

#[derive(Record)]
struct Called {
    id: Option<i64>,
    #[record(column = "label")]
    code: Option<String>,
    n: Option<i64>,
    created: Option<UnixTime>,
    updated: Option<Timestamp>,
    lines: Option<Vec<CalledLine>>,
}

#[derive(Record)]
struct CalledLine {
    #[record(column = "article")]
    sku: Option<String>,
    tags: Option<Vec<String>>,
}

#[test]
fn columns_take_the_names_that_their_owner_gives_them() {
    each_place(|make| {
        let api = api();
        let before = || {
            api.source()
                .resource(items("items").primary_key([Item::ID]))
        };
        let after = || {
            let items = list::<Called>("items", "/items").primary_key([Called::ID]);
            api.source().resource(items)
        };
        let said = goes_along(make, &before, &after);
        assert!(
            said.contains("the column `code` of `items` is called `label` now"),
            "{said}"
        );
        let said = goes_along_alive(make, &after, &before);
        assert!(
            said.contains("the column `article` of `items__lines` is called `sku` now"),
            "{said}"
        );
    });
}

#[test]
fn another_parent_begins_anew() {
    each_place(|make| {
        let api = api();
        let below = |parent: &'static str, within: bool| {
            let parts = list::<Part>("parts", "/items/{item}/parts").primary_key([Part::ID]);
            let parts = if within { parts.within_parent() } else { parts };
            let parts =
                parts.child_of(parent, |item: &Item, request| request.path("item", item.id));
            let all = [items("items"), list("others", "/others")];
            let [one, other] = all.map(|items| items.primary_key([Item::ID]));
            api.source().resource(one).resource(other).resource(parts)
        };
        let place = make();
        place.sync(below("items", true));
        let said = notes(&place.sync(below("others", true)));
        assert!(
            said.contains("read in full once: its parent was `items` and is `others` now"),
            "{said}"
        );
        assert_same(&fresh(make, below("others", true)), &place.tables());
        // Fifteen parts, three ids.
        let said = place.refused(below("others", false));
        assert!(
            said.contains("its key now identifies a record everywhere"),
            "{said}"
        );
        // A key that records of several parents have fails, until it is unique below each of them.
        let place = make();
        place.fails(below("items", false));
        let said = notes(&place.sync(below("items", true)));
        assert!(
            said.contains("read in full to replace the existing rows")
                && said.contains("its key now identifies a record only within its parent"),
            "{said}"
        );
        assert_same(&fresh(make, below("items", true)), &place.tables());
    });
}

#[test]
fn rows_without_a_key_are_not_read_again() {
    each_place(|make| {
        let api = api();
        let by = |cursor: Cursor<Item>| api.source().resource(items("items").incremental(cursor));
        let created = || {
            Cursor::created(Item::CREATED)
                .param("created_since")
                .new_rows_only()
        };
        let place = make();
        place.sync(by(created()));
        let said = place.refused(by(Cursor::updated(Item::UPDATED).param("updated_since")));
        assert!(said.contains("would be duplicated"), "{said}");
    });
}
