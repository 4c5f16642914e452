//! `check --json` against docs/check.schema.json: real outputs of real repositories, one for each kind of verdict.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::world::World;

fn schema() -> Value {
    schema_of("check")
}

fn schema_of(what: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{what}.schema.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The schema as a promise about this version: no field that it does not describe. (To readers it allows more, since
/// version 1 may grow.)
fn strict(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.values_mut().for_each(close);
                if fields.get("properties").is_some_and(Value::is_object) {
                    fields.entry("additionalProperties").or_insert(json!(false));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[track_caller]
fn assert_valid(schema: &Value, instance: &Value) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{}\n{instance:#}", faults.join("\n"));
}

/// `instance` satisfies docs/`what`.schema.json, which describes every field of it.
#[track_caller]
pub fn assert_described(what: &str, instance: &Value) {
    let schema = schema_of(what);
    assert!(jsonschema::meta::is_valid(&schema));
    assert_valid(&strict(schema), instance);
}

/// The output of a check, which must satisfy the schema and have this verdict.
#[track_caller]
fn checked(world: &World, options: &[&str], verdict: &str) -> Value {
    let check = world.ratchet(&[&["check", "--json"], options].concat()).json();
    assert_valid(&strict(schema()), &check);
    assert_eq!(check["verdict"], verdict, "{check:#}");
    check
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&schema()));
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for wrong in [json!({}), json!([]), json!({ "version": 2 })] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn a_commit_that_was_not_measured() {
    let world = World::new();
    world.commit("one");
    let check = checked(&world, &[], "not_measured");
    assert_eq!((&check["base"], &check["series"]), (&Value::Null, &json!([])));
    world.write("ratchet.toml", "[[benchmark]]\nname = \"b\"\ncommand = [\"true\"]\nrequired = true\n");
    world.commit("two");
    let check = checked(&world, &[], "not_measured");
    assert_eq!(check["series"][0]["testbed"], "any");
}

#[test]
fn every_verdict_of_a_measured_commit() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    checked(&world, &[], "new");
    world.commit_measured("two", "10ms");
    checked(&world, &[], "pass");
    checked(&world, &["--baseline", "best-run"], "pass");
    world.commit_measured("three", "5ms");
    checked(&world, &[], "improvement");
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    world.commit_measured("four", "10.5ms");
    let check = checked(&world, &[], "undecided");
    assert!(check["series"][0]["reasons"]["more_runs_needed"].is_u64(), "{check:#}");
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    world.commit_measured("five", "20ms");
    checked(&world, &[], "regression");
}

#[test]
fn configs_exact_metrics_and_warnings() {
    let world = World::new();
    for (content, registers) in [("one", "registers=64"), ("two", "registers=65")] {
        world.commit(content);
        let record = ["record", "--benchmark", "k", "--config", "B=32 H=8", "--metric", registers, "--exact", "--dirty"];
        world.ratchet(&record[..8]).expect(0);
        world.ratchet(&record).expect(0);
    }
    let check = checked(&world, &[], "regression");
    let codes: Vec<&Value> = check["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert!(codes.contains(&&json!("dirty_candidate")), "{codes:?}");
    assert_eq!(check["series"][0]["config"], json!({ "B": "32", "H": "8" }));
}

#[test]
fn a_loss_that_crept_in() {
    let world = World::new();
    for (at, time) in
        ["10ms", "10ms", "10ms", "10ms", "10ms", "10ms", "10.6ms", "11.2ms", "11.8ms", "12.4ms"].into_iter().enumerate()
    {
        world.commit_measured(&format!("{at}: {time}"), time);
        world.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
        world.commit(&format!("after {time}"));
    }
    world.commit_measured("candidate", "12.5ms");
    let check = checked(&world, &[], "regression");
    assert!(check["series"][0]["reasons"]["creep"]["commits"].is_u64(), "{check:#}");
}

#[test]
fn excused_losses() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    let excuse = ["excuse", "b", "--reason", "correctness first", "--until", "25ms", "--expires", "2999-12-31"];
    world.ratchet(&excuse).expect(0);
    let check = checked(&world, &[], "pass");
    assert_eq!(check["series"][0]["excuse"]["effect"]["forgave"]["verdict"], "regression");
    world.commit_measured("three", "20ms");
    let check = checked(&world, &[], "pass");
    assert_eq!(check["series"][0]["excuse"]["effect"]["reset_baseline"]["runs"], 1);
    world.commit_measured("four", "30ms");
    let check = checked(&world, &[], "regression");
    assert_eq!(check["warnings"][0]["code"], "excuse_exceeded");
}

#[test]
fn a_report_with_everything() {
    let schema = schema_of("report");
    assert!(jsonschema::meta::is_valid(&schema));
    let world = World::new();
    for (content, time) in [("one", "10ms,11ms"), ("two", "20ms,21ms"), ("three", "20ms"), ("four", "30ms")] {
        world.commit_measured(content, time);
        if content == "two" {
            world.ratchet(&["excuse", "b", "--reason", "correctness first"]).expect(0);
        }
    }
    world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1ms", "--testbed", "t", "--dirty"]).expect(0);
    let report = world.ratchet(&["report", "--format", "json"]).expect(0).json();
    assert_valid(&strict(schema), &report);
    assert_valid(&strict(self::schema()), &report["check"]);
    let series = &report["series"][0];
    assert_eq!(series["runs"].as_array().unwrap().len(), 5, "{series:#}");
    assert_eq!(series["runs"].as_array().unwrap().iter().filter(|run| run["standing"] == "dirty").count(), 1);
    assert_eq!(series["excuses"][0]["commit"], 1, "{series:#}");
    let values: Vec<f64> = series["ratchet"].as_array().unwrap().iter().map(|step| step["value"].as_f64().unwrap()).collect();
    assert_eq!(values[..2], [0.0105, 0.0205], "the excuse lets the ratchet back: {series:#}");
}

#[test]
fn an_explanation_with_everything() {
    let schema = schema_of("explain");
    assert!(jsonschema::meta::is_valid(&schema));
    let world = World::new();
    let values = |base: f64| (0..12).map(|at| format!("{}ms", base + 0.01 * f64::from(at))).collect::<Vec<_>>().join(",");
    for (content, time, registers) in [("one", 10.0, "registers=64"), ("two", 20.0, "registers=65")] {
        world.write("kernel.cu", content);
        world.commit_measured(content, &values(time));
        world.ratchet(&["record", "--benchmark", "b", "--metric", registers, "--exact", "--testbed", "t"]).expect(0);
    }
    let explained = world.ratchet(&["explain", "--format", "json"]).expect(0).json();
    assert_valid(&strict(schema), &explained);
    assert_eq!(explained["series"]["metric"], "time");
    assert_eq!(explained["metrics"][0]["metric"], "registers");
    assert_eq!(explained["distribution"]["shape"], "shifted");
    let of_check = json!({ "type": "object", "properties": { "series": self::schema()["properties"]["series"]["items"] } });
    let with_definitions = Value::Object(
        of_check
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .chain([("$defs".to_owned(), self::schema()["$defs"].clone())])
            .collect(),
    );
    assert_valid(&with_definitions, &explained);
}

#[test]
fn the_example_of_the_readme() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let example = readme.split("```json check\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_valid(&strict(schema()), &serde_json::from_str(example).unwrap());
}
