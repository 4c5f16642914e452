//! `log`, `show`, `excuse` and the formats of `check` for other programs.

use crate::world::World;

#[test]
fn the_log_draws_a_series_and_marks_its_level() {
    let world = World::new();
    for (content, time) in [("slow", "20ms"), ("slow too", "20ms"), ("fast", "10ms"), ("fast too", "10ms")] {
        world.commit_measured(content, time);
    }
    let log = world.ratchet(&["log"]).expect(0).out;
    assert!(log.contains("██▁▁"), "{log}");
    let marked: Vec<&str> = log.lines().filter(|line| line.contains('▲') && line.contains("fast")).collect();
    assert_eq!(marked.len(), 2, "{log}");
    assert!(!log.lines().any(|line| line.contains('▲') && line.contains("slow")), "{log}");
    let one = world.ratchet(&["log", "-n", "1"]).expect(0).out;
    assert!(one.contains("fast too") && !one.contains("slow"), "{one}");
    let json = world.ratchet(&["log", "--json", "--metric", "time"]).expect(0).json();
    assert_eq!(json["series"][0]["runs"].as_array().unwrap().len(), 4, "{json:#}");
    assert!(world.ratchet(&["log", "--metric", "other"]).expect(0).out.contains("no results"));
}

#[test]
fn a_slip_in_a_name_is_told_from_a_commit_without_results() {
    let world = World::new();
    world.commit_measured("one", "20ms");
    for slip in [["--benchmark", "B"], ["--testbed", "T"], ["--metric", "tiem"], ["--config", "N=1"]] {
        let ran = world.ratchet(&["check", slip[0], slip[1]]).expect(3);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("there are results of b; on t"), "{said}");
    }
    world.commit("two");
    assert!(!world.ratchet(&["check"]).expect(3).out.contains("there are results of"));
}

#[test]
fn an_excuse_with_a_bound_forgives_up_to_it() {
    let world = World::new();
    for content in ["one", "two", "three", "four"] {
        world.commit_measured(content, "10ms");
    }
    world.commit_measured("slower", "20ms");
    world.ratchet(&["excuse", "b", "--reason", "", "--until", "25ms"]).expect(2);
    world.ratchet(&["excuse", "b", "--reason", "safety", "--until", "25ms"]).expect(0);
    world.ratchet(&["check"]).expect(0);
    world.commit_measured("slower still", "30ms");
    world.ratchet(&["check"]).expect(1);
    assert!(world.ratchet(&["show", "HEAD~1"]).expect(0).out.contains("safety"));
}

#[test]
fn an_excuse_ends_on_its_day() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    world.ratchet(&["excuse", "b", "--reason", "for now", "--expires", "2001-01-01"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    assert!(check["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "excuse_expired"), "{check:#}");
    world.ratchet(&["excuse", "b", "--reason", "longer", "--expires", "2999-12-31"]).expect(0);
    world.ratchet(&["check"]).expect(0);
    world.ratchet(&["excuse", "b", "--reason", "never", "--expires", "tomorrow"]).expect(2);
}

#[test]
fn an_excuse_covers_what_it_names_and_nothing_else() {
    let world = World::new();
    for (content, time) in [("one", "10ms"), ("two", "20ms")] {
        world.commit(content);
        for config in ["N=1", "N=2"] {
            let metric = format!("time={time}");
            world.ratchet(&["record", "--benchmark", "b", "--config", config, "--metric", &metric, "--testbed", "t"]).expect(0);
        }
    }
    world.ratchet(&["excuse", "b", "--config", "N=1", "--reason", "only this"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    let verdict = |n: &str| {
        let series = check["series"].as_array().unwrap().iter().find(|series| series["config"]["N"] == n).unwrap();
        series["verdict"].clone()
    };
    assert_eq!(verdict("2"), "regression");
    assert_ne!(verdict("1"), "regression");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    let summary = world.root().join("summary.md");
    std::fs::write(&summary, "earlier\n").unwrap();
    let mut command = world.ratchet_command(&world.repo, &["check", "--format", "github"]);
    let ran = world.run(command.env("GITHUB_STEP_SUMMARY", &summary)).expect(1);
    assert!(ran.out.starts_with("::error title=git-ratchet%3A regression::b time"), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    let text = std::fs::read_to_string(summary).unwrap();
    assert!(text.starts_with("earlier\n## ❌"), "{text}");
    assert!(world.ratchet(&["check", "--format", "github"]).expect(1).out.contains("## ❌"));
}

#[test]
fn a_log_says_the_same_whether_the_history_was_read_before_or_not() {
    let world = World::new();
    let record = |metric: &str, more: &[&str]| {
        world.ratchet(&[&["record", "--benchmark", "b", "--metric", metric], more].concat()).expect(0);
    };
    for (commit, time) in [("one", "time=10ms"), ("two", "time=8ms"), ("three", "time=12ms")] {
        world.commit_measured(commit, "9ms");
        record(time, &["--config", "N=1"]);
    }
    record("time=3 B", &["--config", "N=1"]);
    record("time=1ms", &["--config", "N=1", "--dirty"]);
    world.ratchet(&["excuse", "b", "--config", "N=1", "--reason", "it is worth it"]).expect(0);
    let assert_same = || {
        let kept = world.ratchet(&["log"]).expect(0);
        world.git(&["config", "ratchet.cache", "false"]);
        let read = world.ratchet(&["log"]).expect(0);
        world.git(&["config", "--unset", "ratchet.cache"]);
        assert_eq!((&kept.out, &kept.err), (&read.out, &read.err));
        assert!(kept.out.contains("N=1") && kept.out.contains("12"), "{}", kept.out);
    };
    assert_same();
    // What came after the file was written.
    world.commit_measured("four", "7ms");
    record("time=6ms", &["--config", "N=1"]);
    assert_same();
}

#[test]
fn an_annotation_leads_to_the_version_of_the_kernel_that_the_testbed_runs() {
    let world = World::new();
    let kernel = "extern \"C\" __global__ void add(float* y) {}\n";
    world.write("k/add.cu", kernel);
    world.write("k/add_sm90.cu", &format!("// wgmma\n{kernel}"));
    let variant = "[[variant]]\narch = \"sm_90a\"\nsource = \"add_sm90.cu\"\n";
    world.write("k/add.toml", &format!("entry = \"add\"\n[launch]\ngrid = [1]\nblock = [1]\n{variant}"));
    world.write("ratchet.toml", "[[benchmark]]\nname = \"b\"\nkernel = \"k/add.toml\"\n");
    let testbeds = ["NVIDIA H200 · clocks not locked", "sm_90a · NVRTC 13.0", "NVIDIA A40 · clocks not locked", "a laptop"];
    for (commit, time) in [("one", "time=10ms"), ("two", "time=20ms")] {
        world.commit(commit);
        for testbed in testbeds {
            world.ratchet(&["record", "--benchmark", "b", "--metric", time, "--testbed", testbed]).expect(0);
        }
    }
    for (testbed, place) in testbeds.iter().zip(["add_sm90.cu,line=2", "add_sm90.cu,line=2", "add.cu,line=1", "add.cu,line=1"]) {
        let out = world.ratchet(&["check", "--format", "github", "--testbed", testbed]).expect(1).out;
        assert!(out.starts_with(&format!("::error file=k/{place},")), "{testbed}: {out}");
    }
}

#[test]
fn an_annotation_names_the_line_of_the_code_as_the_commit_has_it() {
    let world = World::new();
    let annotation = || {
        let out = world.ratchet(&["check", "--format", "github"]).expect(1).out;
        out.lines().next().unwrap().split("title=").next().unwrap().to_owned()
    };
    world.commit_measured("one", "10ms");
    world.write("ratchet.toml", "# ours\n\n[[benchmark]]\nname = \"b\"\ncommand = [\"true\"]\n");
    world.commit_measured("a command", "20ms");
    assert_eq!(annotation(), "::error file=ratchet.toml,line=3,");

    // A name that would end the property, or the whole command, if nobody escaped it.
    let manifest = "entry = \"add\"\nsource = \"a,b::c%.cu\"\n[launch]\ngrid = [1]\nblock = [1]\n";
    world.write("k/add.toml", manifest);
    world.write("k/a,b::c%.cu", "// adds\n\nextern \"C\" __global__ void\nadd(float* y) {}\n");
    world.write("ratchet.toml", "[[benchmark]]\nname = \"b\"\nkernel = \"k/add.toml\"\n");
    world.commit_measured("a kernel", "30ms");
    // The work tree is not what is judged.
    std::fs::remove_dir_all(world.repo.join("k")).unwrap();
    assert_eq!(annotation(), "::error file=k/a%2Cb%3A%3Ac%25.cu,line=4,");

    // A manifest that cannot be read leaves the table of the settings.
    world.commit_measured("without the manifest", "30ms");
    assert_eq!(annotation(), "::error file=ratchet.toml,line=1,");
}

#[test]
fn a_benchmark_where_a_revision_belongs_is_told_where_it_belongs() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    for verb in ["log", "show", "check"] {
        let ran = world.ratchet(&[verb, "parse/small"]);
        assert!(ran.code != 0 && ran.err.contains("--benchmark parse/small"), "{verb}: {}", ran.err);
    }
}

#[test]
fn an_excuse_does_not_forgive_going_back_to_what_it_excused() {
    let world = World::new();
    for (content, time) in [("one", "10ms"), ("two", "20ms")] {
        world.commit_measured(content, time);
    }
    world.ratchet(&["excuse", "b", "--reason", "for now"]).expect(0);
    world.ratchet(&["check"]).expect(0);
    world.commit_measured("fixed", "5ms");
    world.commit_measured("two", "20ms");
    for cache in ["true", "Off"] {
        world.git(&["config", "ratchet.cache", cache]);
        for _ in 0..2 {
            world.ratchet(&["check"]).expect(1);
        }
    }
    assert!(world.repo.join(".git/ratchet/series").exists());
    world.ratchet(&["excuse", "b", "--reason", "the fix was wrong"]).expect(0);
    world.ratchet(&["check"]).expect(0);
    // A commit that takes the place of an excused one is excused like it.
    world.git(&["commit", "-q", "--amend", "-m", "said better"]);
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn the_limit_of_an_excuse_is_one_of_its_metrics() {
    let world = World::new();
    for (content, time, registers) in [("one", "10ms", "30"), ("two", "90ms", "40")] {
        world.commit_measured(content, time);
        world.record(&format!("registers={registers}"));
    }
    let excuse =
        |until: &str, more: &[&str]| world.ratchet(&[&["excuse", "b", "--reason", "x", "--until", until], more].concat());
    assert!(excuse("20GB", &["--metric", "time"]).expect(2).err.contains("which is in s"));
    excuse("20GB", &[]).expect(2);
    excuse("12.5", &["--metric", "time"]).expect(2);
    // Of two metrics, the one that such a limit can be meant for.
    excuse("100ms", &[]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    let verdict =
        |name: &str| check["series"].as_array().unwrap().iter().find(|one| one["metric"] == name).unwrap()["verdict"].clone();
    assert_eq!((verdict("time"), verdict("registers")), ("pass".into(), "regression".into()));
    excuse("40", &[]).expect(0);
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn files_are_named_from_the_folder_that_c_names() {
    let world = World::new();
    world.commit("one");
    world.write("in/results.json", r#"[{"name": "parse", "unit": "ms", "value": 12}]"#);
    world.write("in/later.json", r#"[{"name": "parse", "unit": "ms", "value": 13}]"#);
    let inside = |arguments: &[&str]| world.ratchet(&[&["-C", "in"], arguments].concat());
    inside(&["record", "results.json"]).expect(0);
    assert!(inside(&["compare", "results.json", "later.json"]).expect(0).out.contains("parse"));
    inside(&["check", "--write", "json=check.json"]).expect(0);
    inside(&["report", "--output", "report.html"]).expect(0);
    assert!(world.repo.join("in/check.json").exists() && world.repo.join("in/report.html").exists());
    let ran = inside(&["compare", "results.json", "missing.json"]).expect(4);
    assert!(ran.err.contains("only one of these is a file"), "{}", ran.err);
}

#[test]
fn a_rehearsal_of_record_needs_no_author() {
    let world = World::new();
    world.commit("one");
    let mut command = world.ratchet_command(&world.repo, &["record", "--dry-run", "--benchmark", "b", "--metric", "time=1ms"]);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    world.git(&["config", "user.useConfigOnly", "true"]);
    assert!(world.run(&mut command).expect(0).out.contains("would record 1 result"));
}

#[test]
fn after_an_excuse_the_log_shows_the_level_that_binds() {
    let world = World::new();
    for (content, time) in [("one", "10ms"), ("two", "10ms"), ("three", "20ms")] {
        world.commit_measured(content, time);
    }
    world.ratchet(&["excuse", "b", "--reason", "it is safer"]).expect(0);
    world.commit_measured("four", "20ms");
    let baseline = world.ratchet(&["check", "--json"]).expect(0).json()["series"][0]["baseline"]["value"].clone();
    let logged = world.ratchet(&["log", "--json"]).expect(0).json();
    assert_eq!((&logged["series"][0]["baseline"]["value"], &baseline), (&0.02.into(), &0.02.into()), "{logged:#}");
    let said = world.ratchet(&["log"]).expect(0).out;
    assert!(said.contains("best level 20 ms") && said.contains("it is safer"), "{said}");
}

#[test]
fn an_excuse_says_what_it_covers_and_when_it_may_do_nothing() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let excuse = |arguments: &[&str]| world.ratchet(&[&["excuse", "--reason", "x"], arguments].concat()).expect(0);
    let sound = excuse(&["b", "--metric", "time", "--testbed", "t", "--until", "12ms"]);
    assert!(sound.out.contains("excused b time on t up to 12ms from") && sound.err.is_empty(), "{}{}", sound.out, sound.err);
    for (arguments, doubt) in [
        (&["bb"][..], "nothing that was measured at this commit is covered"),
        (&["b", "--expires", "2001-01-01"], "that day is over"),
        (&["b", "--until", "9ms"], "b time is 10 ms at this commit, beyond that limit"),
    ] {
        let said = excuse(arguments).err;
        assert!(said.contains(doubt), "{arguments:?}: {said}");
    }
    world.commit("not measured yet");
    assert_eq!(excuse(&["bb"]).err, "");
}

#[test]
fn json_and_percentages_are_understood_as_they_are_written_elsewhere() {
    let world = World::new();
    for (content, time) in [("one", "10ms"), ("two", "10.5ms")] {
        world.commit(content);
        world.ratchet(&["record", "--benchmark", "b", "--metric", &format!("time={time}"), "--exact"]).expect(0);
    }
    for verb in ["explain", "report"] {
        let series = |how: &[&str]| world.ratchet(&[&[verb], how].concat()).expect(0).json()["series"].clone();
        assert_eq!(series(&["--json"]), series(&["--format", "json"]));
    }
    world.ratchet(&["check", "--regression", "3%"]).expect(1);
    world.ratchet(&["check", "--regression", "6 %"]).expect(0);
    assert!(world.ratchet(&["check", "--regression", "much"]).expect(2).err.contains("write a number, such as 3"));
}
