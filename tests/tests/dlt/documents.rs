//! The documents to load: samples, documents that dlt cannot load, and random ones.

use std::fmt::Write;

/// Records of one resource, as JSON texts.
pub struct Case {
    pub name: String,
    pub docs: Vec<String>,
}

fn case(name: &str, docs: &[&str]) -> Case {
    Case {
        name: name.to_owned(),
        docs: docs.iter().map(|doc| (*doc).to_owned()).collect(),
    }
}

/// Returns the samples, each of which shows one thing.
pub fn samples() -> Vec<Case> {
    let long = "a_very_long_name_".repeat(17);
    let long = format!(r#"{{"{long}":1,"x":{{"{long}":"y"}},"{long}s":[1,{{"{long}":2}}]}}"#);
    vec![
        case(
            "flat",
            &[
                r#"{"s":"x","i":1,"f":2.5,"b":true,"n":null}"#,
                r#"{"s":"","i":-9223372036854775808}"#,
            ],
        ),
        case(
            "nested",
            &[
                r#"{"o":{"p":{"q":{"r":1}},"s":"x"},"l":[1,null,2],"m":[[1,[2]],[],{}],"e":{},"z":[]}"#,
            ],
        ),
        case(
            "lists",
            &[r#"{"l":[{"a":1,"k":[{"b":true}]},{"a":"x"},{},7,[{"c":1}],null]}"#],
        ),
        case(
            "times",
            &[
                r#"{"t":"2024-01-02T03:04:05Z","u":"2024-01-02 03:04:05","v":"2024-01-02T03:04:05.123456+02:00","d":"2024-01-02","y":"2024","h":"10:30:00","p":"P1D","e":1700000000}"#,
                r#"{"t":"n/a","u":"","v":"2024-02-03T00:00:00-0130"}"#,
            ],
        ),
        case(
            "odd_times",
            &[
                r#"{"m":"2024-01-02T03:04","c":"20240102T030405Z","w":"2024-W01-1T00:00:00Z","f":"2024-01-02T03:04:05.1234567Z","g":"2024-01-02T03:04:05,5Z","o":"2024-002T03:04:05"}"#,
            ],
        ),
        case(
            "day_among_times",
            &[
                r#"{"t":"2024-01-02T03:04:05Z"}"#,
                r#"{"t":"2024-01-02"}"#,
                r#"{"t":1700000000}"#,
            ],
        ),
        case(
            "variants",
            &[
                r#"{"v":1,"w":"x","x":true,"y":1.5}"#,
                r#"{"v":2.5,"w":1,"x":"maybe","y":"abc"}"#,
                r#"{"v":"abc","w":true,"x":"maybe not","y":true}"#,
                r#"{"v":3.0,"w":{"a":1},"x":[1],"y":4}"#,
            ],
        ),
        case(
            "coerced",
            &[
                r#"{"v":1,"y":1.5,"x":true,"w":"x"}"#,
                r#"{"v":"7","y":"2.5","x":"yes","w":2.5}"#,
                r#"{"x":5,"w":false,"y":9007199254740993}"#,
                r#"{"v":" 0x1f "}"#,
            ],
        ),
        case(
            "time_beside_number",
            &[r#"{"v":1}"#, r#"{"v":"2024-01-02T03:04:05Z"}"#],
        ),
        case(
            "names",
            &[
                r#"{"userName":1,"UserID":2,"HTTPServer":3,"created.at":4,"2fa":5,"+1":6,"@type":7,"é":8,"name_":9,"_x":10," id ":11,"a__b":12,"c___d":13,"日本語":{"ключ":14},"k":{"e__f":15},"a|b":[1],"q\u001c":16}"#,
            ],
        ),
        case("long_names", &[&long]),
        case("resourceName2", &[r#"{"aB":[{"cD":1}]}"#]),
        case(
            "colliding",
            &[r#"{"userName":1,"user_name":2,"a":{"b":3},"a__b":4}"#],
        ),
        case("colliding_lists", &[r#"{"userName":[1],"user_name":[2]}"#]),
        case("number_beyond_doubles", &[r#"{"n":1e999}"#]),
        case("value_key", &[r#"{"l":[{"value":1},2]}"#]),
        case(
            "object_or_list",
            &[r#"{"o":{"l":[1]}}"#, r#"{"o":[{"l":[2]}]}"#],
        ),
        case("empty_keys", &[r#"{"":1,"o":{" ":2}}"#]),
        case("twice", &[r#"{"k":1,"k":2,"l":[1],"l":[2]}"#]),
        case(
            "own_names",
            &[r#"{"_dlt_id":"mine","l":[{"_dlt_parent_id":"mine","_dlt_list_idx":9}]}"#],
        ),
        case(
            "text",
            &[r#"{"t":"\u0000 \ud83d\ude00 '\"\\ é\n","x":"\uf026"}"#],
        ),
        case(
            "numbers",
            &[r#"{"a":1e3,"b":-0.0,"c":0.1,"d":123456789.123456789,"e":1e300,"f":5e-324,"g":1.0}"#],
        ),
    ]
}

/// Returns documents that dlt does not load; each has its own run.
pub fn unloadable() -> Vec<Case> {
    vec![
        case("big_whole_number", &[r#"{"n":9223372036854775808}"#]),
        case("half_a_surrogate_pair", &[r#"{"t":"\ud800"}"#]),
        case(
            "variant_of_a_variant",
            &[
                r#"{"v":1}"#,
                r#"{"v":"2024-01-02T03:04:05Z"}"#,
                r#"{"v":"abc"}"#,
            ],
        ),
        case("list_under_an_empty_key", &[r#"{"":[1]}"#]),
    ]
}

/// A seeded generator: the same documents on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    fn scalar(&mut self) -> String {
        match self.below(10) {
            0 => "null".to_owned(),
            1 => self.of(&["true", "false"]).to_owned(),
            2 | 3 => (self.below(2000) as i64 - 1000).to_string(),
            4 => self
                .of(&[
                    "0",
                    "9007199254740993",
                    "-9223372036854775808",
                    "1700000000",
                ])
                .to_owned(),
            5 => self
                .of(&["0.5", "2.0", "-1e-7", "1e15", "3.141592653589793"])
                .to_owned(),
            6 | 7 => self
                .of(&[
                    "\"\"",
                    "\"7\"",
                    "\"2.5\"",
                    "\"true\"",
                    "\"no\"",
                    "\"2024-01-02\"",
                    "\"n/a\"",
                ])
                .to_owned(),
            _ => format!("\"t{}\"", self.below(50)),
        }
    }

    /// Returns a value for the key of times. Times have their own key: dlt cannot load a table in
    /// which a time was next to a number, followed by another text.
    fn time(&mut self) -> String {
        match self.below(6) {
            0 => "null".to_owned(),
            1 => "\"2024-01-02\"".to_owned(),
            2 => "1700000000".to_owned(),
            _ => format!(
                "\"2024-0{}-10T12:00:0{}Z\"",
                1 + self.below(9),
                self.below(10)
            ),
        }
    }

    /// Writes an object. Its keys have distinct names, so that every other difference is visible.
    fn object(&mut self, depth: usize, out: &mut String) {
        let keys = [
            "id",
            "userName",
            "created-at",
            "2nd",
            "total__sum",
            "x",
            "ÉTAT",
            "kind_",
            "HTTPCode",
            "items",
            "lines",
            "meta data",
            "e",
            "at",
        ];
        let first = self.below(keys.len());
        for step in 0..self.below(7) {
            if !out.ends_with('{') {
                out.push(',');
            }
            let key = keys[(first + step * 2) % keys.len()];
            let _ = write!(out, "\"{key}\":");
            match key {
                "at" => out.push_str(&self.time()),
                // A key with a list in one record and an object in another would need one name for
                // two tables.
                "items" | "created-at" | "kind_" => self.list(depth, out),
                "x" | "meta data" => self.nested(depth, out),
                _ => out.push_str(&self.scalar()),
            }
        }
    }

    fn nested(&mut self, depth: usize, out: &mut String) {
        if depth == 0 || self.below(2) == 0 {
            return out.push_str(&self.scalar());
        }
        out.push('{');
        self.object(depth - 1, out);
        out.push('}');
    }

    fn list(&mut self, depth: usize, out: &mut String) {
        if depth == 0 || self.below(2) == 0 {
            return out.push_str(&self.scalar());
        }
        out.push('[');
        for index in 0..self.below(4) {
            if index > 0 {
                out.push(',');
            }
            match self.below(3) {
                0 => self.list(depth - 1, out),
                _ => self.nested(depth - 1, out),
            }
        }
        out.push(']');
    }
}

/// Returns random documents, in resources of 200: types mix within a resource.
pub fn random(count: usize) -> Vec<Case> {
    let mut dice = Dice(1);
    let case = |number: usize| {
        let docs = (0..200).map(|_| {
            let mut doc = String::from("{");
            dice.object(3, &mut doc);
            doc + "}"
        });
        Case {
            name: format!("random_{number}"),
            docs: docs.collect(),
        }
    };
    (0..count / 200).map(case).collect()
}

/// Returns every object of a file of fixtures, one resource for each type.
pub fn fixtures(text: &str) -> Vec<Case> {
    let fixtures: serde_json::Value = serde_json::from_str(text).expect("the fixtures are JSON");
    let resources = fixtures["resources"]
        .as_object()
        .expect("they have resources");
    let case = |(name, value): (&String, &serde_json::Value)| Case {
        name: name.clone(),
        docs: vec![value.to_string()],
    };
    resources.iter().map(case).collect()
}
