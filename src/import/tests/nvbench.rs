use super::*;

const FIRST: &str = "T=I32 Elements=65536";
const SECOND: &str = "T=I64 Elements=65536";

#[test]
fn states_are_points_and_summaries_are_found_by_tag() {
    let (imported, file) = (import_fixture("nvbench/samples.json"), json_fixture("nvbench/samples.json"));
    assert_eq!((imported.format, imported.tool.as_deref()), (Format::Nvbench, Some("nvbench 0.1.0")));
    assert_eq!(imported.testbed.as_deref(), Some("NVIDIA A100-SXM4-80GB"), "the GPU that was used, not the first in the list");
    let tagged = |state: usize, tag: &str| -> f64 {
        let summaries = file.pointer(&format!("/benchmarks/0/states/{state}/summaries")).unwrap().as_array().unwrap();
        let summary = summaries.iter().find(|summary| summary["tag"] == tag).unwrap();
        summary["data"][0]["value"].as_str().unwrap().parse().unwrap()
    };
    let mean = tagged(1, "nv/cold/time/gpu/mean");
    let expected = Summary {
        n: 3,
        mean: Some(mean),
        stddev: Some(mean * tagged(1, "nv/cold/time/gpu/stdev/relative")),
        min: Some(tagged(1, "nv/cold/time/gpu/min")),
        max: Some(tagged(1, "nv/cold/time/gpu/max")),
        ..Summary::single(mean)
    };
    assert_statistics(find(&imported, "copy", SECOND, "time"), "s", Direction::Lower, &expected);
    let batch = tagged(1, "nv/batch/time/gpu/mean");
    let expected = Summary { n: 400, mean: Some(batch), ..Summary::single(batch) };
    assert_statistics(find(&imported, "copy", SECOND, "batch_time"), "s", Direction::Lower, &expected);
    let bandwidth = Summary::single(tagged(1, "nv/cold/bw/global/bytes_per_second"));
    assert_statistics(find(&imported, "copy", SECOND, "bandwidth"), "B/s", Direction::Higher, &bandwidth);
    let items = Summary::single(tagged(1, "nv/cold/bw/item_rate"));
    assert_statistics(find(&imported, "copy", SECOND, "item_rate"), "/s", Direction::Higher, &items);
    let follows = |metric| find(&imported, "copy", SECOND, metric).metric.follows.as_ref().map(|lead| lead.as_str());
    assert_eq!(["bandwidth", "item_rate", "batch_time", "time"].map(follows), [Some("time"), Some("time"), None, None]);
}

#[test]
fn samples_beside_the_file_are_read_and_missing_ones_named() {
    let imported = import_fixture("nvbench/samples.json");
    let bytes = std::fs::read(fixture("nvbench/samples.json-bin/0.bin")).unwrap();
    let seconds: Vec<f64> = bytes.chunks(4).map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap()))).collect();
    assert_eq!(seconds.len(), 3);
    assert_sample(find(&imported, "copy", FIRST, "time"), "s", Direction::Lower, &seconds);
    let warned = warnings(&imported);
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(warned[0].contains("samples.json-bin/1.bin` left out"), "{warned:?}");
    assert_eq!(warned[1], "benchmarks[0].states[2] `copy T=F64 Elements=65536`: skipped by the tool: Not a conversion.");
}

#[test]
fn from_standard_input_the_statistics_are_taken() {
    let bytes = std::fs::read(fixture("nvbench/samples.json")).unwrap();
    let imported = super::super::import_reader(&mut bytes.as_slice(), &ImportOptions::default()).unwrap();
    assert!(find(&imported, "copy", FIRST, "time").values.is_empty());
}

#[test]
fn samples_elsewhere_on_the_disk_are_not_opened() {
    let text = std::fs::read_to_string(fixture("nvbench/samples.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0.bin"), [0_u8; 12]).unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    for name in ["../0.bin", "inner/../0.bin", "/", "0.bin", ""] {
        let file = folder.path().join("inner/result.json");
        std::fs::write(&file, text.replace("/home/someone/build/samples.json-bin/0.bin", name)).unwrap();
        let imported = import_path(&file, &ImportOptions::default()).unwrap();
        assert!(find(&imported, "copy", FIRST, "time").values.is_empty(), "{name}");
    }
}

#[test]
fn several_gpus_in_one_file_become_a_parameter() {
    let imported = import_fixture("nvbench/two-devices.json");
    assert_eq!(imported.testbed, None);
    assert_close(find(&imported, "simple", "'device=0 NVIDIA A100-SXM4-80GB'", "time").summary.median, 0.0001);
    assert_close(find(&imported, "simple", "'device=1 NVIDIA T4'", "time").summary.median, 0.0003);
    assert_eq!(warnings(&imported), ["devices: measured on 2 GPUs: `device` is a parameter of every config"]);
}

#[test]
fn a_file_of_skipped_states_says_why_there_is_nothing() {
    let text = r#"{"devices": [], "benchmarks": [{"name": "a", "states":
        [{"axis_values": null, "summaries": null, "is_skipped": true, "skip_reason": "No memory."}]}]}"#;
    let said = complaint(Format::Nvbench, text);
    assert_eq!(said, "no results in this nvbench file: benchmarks[0].states[0] `a`: skipped by the tool: No memory.");
}
