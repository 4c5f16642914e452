//! What nobody signed is shown, judged where there is nothing else, and binds nobody.

use super::*;

#[test]
fn what_nobody_signed_never_binds_and_is_shown() {
    let Some(shared) = Shared::measured() else { return };
    let before = shared.check().expect(0).json();
    assert_eq!((baseline(&before), codes(&before)), (&json!(0.01), vec![]));
    assert_eq!(shared.letter(NOTES), "G", "what Ann records is signed");
    // Faster than anything: everybody else would regress from now on.
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.exchange();
    let checked = shared.check().expect(0).json();
    assert_eq!(baseline(&checked), &json!(0.01));
    assert!(codes(&checked).contains(&"untrusted") && codes(&checked).contains(&"excluded_runs"), "{checked}");
    let said = shared.world.ratchet(&["check"]).expect(0);
    assert!((said.out + said.err.as_str()).contains("1 record and 0 excuses untrusted: "));
    let shown = shared.world.ratchet(&["show", "HEAD~1"]).expect(0);
    assert!(shown.out.contains("never a baseline: untrusted") && shown.err.contains("untrusted"), "{}", shown.out);
    let shown = shared.world.ratchet(&["show", "HEAD~1", "--json"]).expect(0).json();
    let mut trusted: Vec<_> = shown["records"].as_array().unwrap().iter().map(|record| record["trusted"].as_bool()).collect();
    trusted.sort();
    assert_eq!(trusted, [Some(false), Some(true)]);
    let logged = shared.world.ratchet(&["log"]).expect(0);
    assert!(logged.out.contains("1 untrusted run left out"), "{}", logged.out);
    let report = shared.world.ratchet(&["report", "--format", "json"]).expect(0).json();
    let standings: Vec<_> =
        report["series"][0]["runs"].as_array().unwrap().iter().map(|run| run["standing"].as_str().unwrap()).collect();
    assert_eq!(standings.iter().filter(|standing| **standing == "untrusted").count(), 1, "{standings:?}");
    // Who asks for no signatures believes it.
    shared.world.git(&["config", "ratchet.trust", "any"]);
    assert_eq!(baseline(&shared.check().expect(1).json()), &json!(0.001));
}

/// What a side of a comparison shows: value and whether somebody vouches for it.
fn side(compared: &Value, side: &str) -> (f64, bool) {
    let side = &compared["series"][0][side];
    (side["value"].as_f64().unwrap(), side["trusted"].as_bool().unwrap())
}

#[test]
fn what_is_compared_or_explained_is_what_is_signed() {
    let Some(shared) = Shared::measured() else { return };
    shared.commit("five");
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.record(&shared.mallory, "HEAD", "2ms");
    shared.exchange();
    // Of HEAD~1 there is a signed record, of HEAD there is none.
    let ran = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0);
    let compared = ran.json();
    assert_eq!((side(&compared, "before"), side(&compared, "after")), ((0.01, true), (0.002, false)), "{compared:#}");
    assert_eq!(codes(&compared), ["untrusted", "untrusted_side"]);
    let text = shared.world.ratchet(&["compare", "HEAD~1", "HEAD"]).expect(0);
    assert!(text.out.contains("  2 ms untrusted") && !text.out.contains("10 ms untrusted"), "{}", text.out);
    assert!(text.err.contains("HEAD: nobody who may sign vouches for"), "{}", text.err);
    for (commit, time) in [("HEAD~1", "10ms"), ("HEAD", "20ms")] {
        shared.record(&shared.ann, commit, &[time; 30].join(","));
    }
    let compared = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((side(&compared, "after"), codes(&compared)), ((0.02, true), vec!["untrusted"]), "{compared:#}");
    let explained = shared.world.ratchet(&["explain", "b", "--format", "json"]).expect(0).json();
    let quantiles = explained["distribution"]["quantiles"].as_array().unwrap();
    assert!(quantiles.iter().all(|row| (&row["before"], &row["after"]) == (&json!(0.01), &json!(0.02))), "{explained:#}");
    shared.world.git(&["config", "ratchet.trust", "any"]);
    let believed = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((side(&believed, "before").1, side(&believed, "after").1, codes(&believed)), (true, true, vec![]));
}

#[test]
fn no_unsigned_line_takes_the_id_of_a_signed_one() {
    let Some(shared) = Shared::measured() else { return };
    shared.world.ratchet_in(&shared.mallory, &["fetch"]).expect(0);
    let note = shared.world.git_in(&shared.mallory, &["notes", "--ref=ratchet", "show", "HEAD~1"]);
    // The same ids: a run on another testbed, and a record that sorts before Ann's.
    let forged: Vec<String> = note
        .lines()
        .map(|line| {
            line.replace(r#""testbed":"t""#, r#""testbed":"other""#).replace(r#""better":"lower""#, r#""better":"higher""#)
        })
        .collect();
    assert_ne!(forged.join("\n"), note.trim_end());
    shared.world.git_in(&shared.mallory, &["notes", "--ref=ratchet", "append", "-m", &forged.join("\n"), "HEAD~1"]);
    shared.exchange();
    let before = shared.check().expect(0).json();
    assert_eq!(baseline(&before), &json!(0.01));
    assert_eq!(before["series"][0]["baseline"]["runs"], 1);
    let shown = shared.world.ratchet(&["show", "HEAD~1", "--json"]).expect(0).json();
    assert!(shown["records"].as_array().unwrap().iter().any(|record| record["trusted"] == true && record["testbed"] == "t"));
}

#[test]
fn a_candidate_that_nobody_signed_for_is_judged_and_marked() {
    let Some(shared) = Shared::measured() else { return };
    shared.commit("slow");
    shared.record(&shared.mallory, "HEAD", "20ms");
    shared.exchange();
    let checked = shared.check().expect(1).json();
    assert!(codes(&checked).contains(&"untrusted_candidate"), "{checked}");
    // What is signed for judges alone: an unsigned result cannot lift it.
    shared.record(&shared.ann, "HEAD", "20ms");
    shared.record(&shared.mallory, "HEAD", "1ms");
    shared.exchange();
    let checked = shared.check().expect(1).json();
    assert_eq!(checked["series"][0]["candidate"]["value"], 0.02);
}

#[test]
fn a_kernel_that_nobody_signed_for_is_marked_under_its_roofs() {
    let Some(shared) = Shared::measured() else { return };
    let record = |dir: &Path, benchmark: &str, rates: [&str; 2]| {
        let metrics = ["--metric", rates[0], "--metric", rates[1], "--testbed", "NVIDIA L4"];
        shared.world.ratchet_in(dir, &[&["record", "--benchmark", benchmark][..], &metrics].concat()).expect(0);
    };
    let gemm = || shared.world.ratchet(&["roofline", "--json"]).expect(0).json()["testbeds"][0]["kernels"][0].clone();
    record(&shared.mallory, "gemm", ["throughput=50 TFLOP/s", "bandwidth=200 GB/s"]);
    record(&shared.mallory, "copy", ["time=1ms", "bandwidth=10 GB/s"]);
    shared.exchange();
    assert_eq!((&gemm()["trusted"], &gemm()["flop_rate"]), (&json!(false), &json!(50e12)));
    assert_eq!(gemm()["attainable"], 75e12, "the roof of a stranger holds nobody down");
    let text = shared.world.ratchet(&["roofline"]).expect(0).out;
    assert!(text.contains("50 TFLOP/s untrusted") && text.contains("nobody who may sign vouches for"), "{text}");
    // What is signed for stands alone.
    record(&shared.ann, "gemm", ["throughput=40 TFLOP/s", "bandwidth=160 GB/s"]);
    assert_eq!((&gemm()["trusted"], &gemm()["flop_rate"]), (&json!(true), &json!(40e12)));
    let text = shared.world.ratchet(&["roofline"]).expect(0).out;
    assert!(!text.contains("untrusted"), "{text}");
}
