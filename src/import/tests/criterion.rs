use super::*;

/// The quotients of totals and counts in seconds, computed here from the raw file.
fn per_iteration(iterations: &[f64], totals: &[f64]) -> Vec<f64> {
    iterations.iter().zip(totals).map(|(count, total)| total / count / 1e9).collect()
}

#[test]
fn the_current_layout_gives_times_per_iteration() {
    let imported = import_fixture("criterion-0.8");
    assert_eq!((imported.format, imported.tool.as_deref()), (Format::Criterion, Some("criterion")));
    assert_eq!(keys(&imported), ["fib 8 |  | time", "fill/zeros/512 |  | time"]);
    for name in ["fib 8", "fill/zeros/512"] {
        let folder = if name == "fib 8" { "fib 8" } else { "fill/zeros/512" };
        let sample = json_fixture(&format!("criterion-0.8/{folder}/new/sample.json"));
        let estimates = json_fixture(&format!("criterion-0.8/{folder}/new/estimates.json"));
        let measured = find(&imported, name, "", "time");
        assert_sample(measured, "s", Direction::Lower, &per_iteration(&numbers(&sample, "/iters"), &numbers(&sample, "/times")));
        assert_kept(measured.summary.median * 1e9, number(&estimates, "/median/point_estimate"));
        assert_kept(measured.summary.mean.unwrap() * 1e9, number(&estimates, "/mean/point_estimate"));
    }
}

#[test]
fn the_older_layout_reads_the_same() {
    let imported = import_fixture("criterion-0.3");
    assert_eq!(keys(&imported), ["fib 8 |  | time", "fill/zeros/512 |  | time"]);
    for name in ["fib 8", "fill/zeros/512"] {
        let sample = json_fixture(&format!("criterion-0.3/{name}/new/sample.json"));
        let estimates = json_fixture(&format!("criterion-0.3/{name}/new/estimates.json"));
        let measured = find(&imported, name, "", "time");
        assert_sample(measured, "s", Direction::Lower, &per_iteration(&numbers(&sample, "/0"), &numbers(&sample, "/1")));
        assert_kept(measured.summary.median * 1e9, number(&estimates, "/Median/point_estimate"));
    }
}

#[test]
fn a_part_of_the_folder_and_the_target_folder_are_found_too() {
    let one = import_fixture("criterion-0.8/fill");
    assert_eq!(keys(&one), ["fill/zeros/512 |  | time"]);
    assert_eq!(keys(&import_fixture("criterion-0.8/fib 8/new")), ["fib 8 |  | time"]);
    let target = tempfile::tempdir().unwrap();
    copy_folder(&fixture("criterion-0.8/fill"), &target.path().join("criterion/fill"));
    std::fs::create_dir(target.path().join("debug")).unwrap();
    assert_eq!(keys(&import_path(target.path(), &ImportOptions::default()).unwrap()), keys(&one));
}

#[test]
fn what_an_earlier_run_left_may_be_left_out() {
    let target = tempfile::tempdir().unwrap();
    copy_folder(&fixture("criterion-0.8"), &target.path().join("criterion"));
    let (marker, hour) = (target.path().join("marker"), std::time::Duration::from_secs(3600));
    let moved = |path: &std::path::Path, by: std::time::Duration| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() + by).unwrap();
    };
    std::fs::write(&marker, []).unwrap();
    moved(&marker, hour);
    let options = ImportOptions { newer_than: Some(marker), ..ImportOptions::default() };
    let nothing = import_path(target.path(), &options).unwrap_err();
    assert!(matches!(nothing, ImportError::NotWritten { .. }), "{nothing}");
    moved(&target.path().join("criterion/fib 8/new/estimates.json"), 2 * hour);
    assert_eq!(keys(&import_path(target.path(), &options).unwrap()), ["fib 8 |  | time"]);
}

#[test]
fn estimates_stand_in_for_a_deleted_sample() {
    for (layout, median, deviation) in [("criterion-0.8", "median", "std_dev"), ("criterion-0.3", "Median", "StdDev")] {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&fixture(&format!("{layout}/fib 8")), &folder.path().join("fib 8"));
        std::fs::remove_file(folder.path().join("fib 8/new/sample.json")).unwrap();
        let imported = import_path(folder.path(), &ImportOptions::default()).unwrap();
        let estimates = json_fixture(&format!("{layout}/fib 8/new/estimates.json"));
        let summary = &find(&imported, "fib 8", "", "time").summary;
        let seconds = |pointer: &str| number(&estimates, pointer) / 1e9;
        assert_close(summary.median, seconds(&format!("/{median}/point_estimate")));
        assert_close(summary.low.unwrap(), seconds(&format!("/{median}/confidence_interval/lower_bound")));
        assert_close(summary.high.unwrap(), seconds(&format!("/{median}/confidence_interval/upper_bound")));
        assert_close(summary.stddev.unwrap(), seconds(&format!("/{deviation}/point_estimate")));
    }
}

#[test]
fn the_results_before_the_newest_are_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("criterion-0.8/fib 8/new"), &folder.path().join("fib 8/new"));
    copy_folder(&fixture("criterion-0.8/fib 8/new"), &folder.path().join("fib 8/base"));
    assert_eq!(import_path(folder.path(), &ImportOptions::default()).unwrap().measurements.len(), 1);
}

#[test]
fn folders_without_results_and_other_formats_of_folders_are_told_apart() {
    let empty = tempfile::tempdir().unwrap();
    let complaint = import_path(empty.path(), &ImportOptions::default()).unwrap_err().to_string();
    assert!(complaint.contains("is a folder without criterion results"), "{complaint}");
    let options = ImportOptions { format: Some(Format::Bmf), ..ImportOptions::default() };
    let complaint = import_path(empty.path(), &options).unwrap_err().to_string();
    assert!(complaint.ends_with("is a folder, but results of bmf are a file"), "{complaint}");
}

#[test]
fn a_broken_file_in_the_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("criterion-0.8/fib 8"), &folder.path().join("fib 8"));
    let sample = folder.path().join("fib 8/new/sample.json");
    for (content, expected) in [
        (r#"{"iters": [1.0, 2.0], "times": [1.0"#, "not valid JSON"),
        (r#"{"iters": [1.0, 2.0], "times": [1.0]}"#, "as many values as there are iteration counts"),
        (r#"{"iters": [0.0], "times": [1.0]}"#, "counts of at least one iteration"),
        (r#"{"iters": [1.0], "times": [-5.0]}"#, "a measured time is greater than zero"),
        (r#"{"iters": [], "times": []}"#, "at least one value"),
    ] {
        std::fs::write(&sample, content).unwrap();
        let complaint = import_path(folder.path(), &ImportOptions::default()).unwrap_err().to_string();
        assert!(complaint.contains("sample.json") && complaint.contains(expected), "{complaint}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(fixture("criterion-0.8"), folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("round")).unwrap();
    let outcome = import_path(folder.path(), &ImportOptions::default());
    assert!(matches!(outcome, Err(ImportError::NoCriterionResults { .. })));
}

#[test]
fn messages_of_cargo_criterion_give_the_same_as_its_folder_would() {
    let imported = import_fixture("cargo-criterion/messages.jsonl");
    assert_eq!(imported.format, Format::CargoCriterion);
    assert_eq!(keys(&imported), ["fib 8 |  | time", "fill/zeros/512 |  | time"]);
    let text = std::fs::read_to_string(fixture("cargo-criterion/messages.jsonl")).unwrap();
    let messages = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for message in messages.filter(|message| message["reason"] == "benchmark-complete") {
        let measured = find(&imported, message["id"].as_str().unwrap(), "", "time");
        let expected = per_iteration(&numbers(&message, "/iteration_count"), &numbers(&message, "/measured_values"));
        assert_sample(measured, "s", Direction::Lower, &expected);
        assert_kept(measured.summary.median * 1e9, number(&message, "/median/estimate"));
    }
}

#[test]
fn a_broken_message_is_named_by_its_line() {
    let good = std::fs::read_to_string(fixture("cargo-criterion/messages.jsonl")).unwrap();
    let first = good.lines().next().unwrap();
    let complaint = complaint(Format::CargoCriterion, &format!("{first}\n\n{{\"reason\": oops}}"));
    assert!(complaint.contains("line 3"), "{complaint}");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for child in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(child.file_name());
        if child.file_type().unwrap().is_dir() {
            copy_folder(&child.path(), &target);
        } else {
            std::fs::copy(child.path(), target).unwrap();
        }
    }
}
