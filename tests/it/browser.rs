//! The HTML report in a real browser, by tests/browser/page.mjs: no console errors, nothing loaded, hover, filter, sort,
//! keyboard, hostile names. SKIPPED where there is no Chromium, no node, or no playwright-core; `.ci/run` has them all.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::world::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

fn chromium() -> Option<&'static str> {
    let runs = |program: &&str| {
        let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(runs)
}

/// What is missing here.
fn missing() -> Option<&'static str> {
    if chromium().is_none() {
        Some("no Chromium")
    } else if !folder().join("node_modules/playwright-core").exists() {
        Some("no playwright-core: npm ci --prefix tests/browser")
    } else {
        let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
        if node.is_ok_and(|status| status.success()) { None } else { Some("no node") }
    }
}

fn world() -> World {
    let world = World::new();
    let evil = "<img src=x onerror=window.hacked=1>";
    for at in 0..24 {
        world.commit(&format!("change {at} <script>window.hacked=1</script>"));
        let slow = if at == 23 { 1.2 } else { 1.0 };
        let wobble = 1.0 + 0.002 * f64::from(at % 5);
        for (name, config, base) in [("sort", "N=1000", 10.0), ("sort", "N=9000", 90.0), ("scan", "N=1000", 4.0), (evil, "", 2.0)]
        {
            let base = if name == "scan" { base } else { base * slow };
            let values: Vec<String> =
                (0..5).map(|sample| format!("{}ms", base * wobble * (1.0 + 0.001 * f64::from(sample)))).collect();
            let metric = format!("time={}", values.join(","));
            world.ratchet(&["record", "--benchmark", name, "--config", config, "--metric", &metric, "--testbed", "t"]).expect(0);
        }
    }
    world
}

#[test]
fn the_page_works_in_a_browser() {
    if let Some(missing) = missing() {
        assert!(std::env::var_os("RATCHET_NEEDS_BROWSER").is_none(), "{missing}");
        println!("SKIPPED the_page_works_in_a_browser: {missing}");
        return;
    }
    let world = world();
    let page = world.root().join("report.html");
    world.ratchet(&["report", "--output", page.to_str().unwrap()]).expect(0);
    let script = folder().join("page.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([page.as_path(), &world.root().join("screenshots")])
        .env("CHROMIUM", chromium().unwrap_or_default())
        .env("HOME", &world.home)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all checks passed"), "{said}");
}
