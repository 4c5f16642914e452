//! Against the real NVRTC where there is one (`.ci/run` installs it), and against libraries that only look like it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::cuda::Header;

/// The compiler of this test run: what `RATCHET_TEST_NVRTC` names, or what stands under target/.
fn compiler() -> Option<Compiler> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nvrtc");
    let configured = std::env::var_os("RATCHET_TEST_NVRTC").map_or(usual, PathBuf::from);
    let found = Compiler::find(&CompilerSearch { configured: Some(configured), env: &|_| None });
    if found.is_err() {
        eprintln!("SKIPPED: there is no NVRTC at target/nvrtc or RATCHET_TEST_NVRTC; .ci/nvrtc installs it");
    }
    found.ok()
}

const SCALE: &str = r#"#include <cuda_fp16.h>
#include "factor.cuh"
extern "C" __global__ void scale(__half* y, const float* x, int n) {
    __shared__ float tile[BLOCK];
    int i = blockIdx.x * BLOCK + threadIdx.x;
    tile[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    if (i < n) y[i] = __float2half(tile[BLOCK - 1 - threadIdx.x] * FACTOR);
}
extern "C" __global__ void other(float* y) { *y = 1.0f; }
"#;

fn scale() -> Program {
    Program {
        name: "kernels/scale.cu".to_owned(),
        source: SCALE.to_owned(),
        headers: vec![Header { name: "factor.cuh".to_owned(), text: "#define FACTOR 3.0f\n".to_owned() }],
        entry: "scale".to_owned(),
        standard: "c++17".to_owned(),
        options: Vec::new(),
        defines: vec![("BLOCK".to_owned(), "128".to_owned())],
    }
}

fn arch(text: &str) -> Arch {
    text.parse().unwrap()
}

#[test]
fn a_program_becomes_machine_code_for_every_architecture() {
    let Some(compiler) = compiler() else { return };
    let program = scale();
    let archs = ["sm_75", "sm_80", "sm_89", "sm_90a", "sm_100"].map(arch);
    let jobs: Vec<(&Program, Arch)> = archs.iter().chain(&archs).map(|arch| (&program, *arch)).collect();
    let compiled: Vec<_> = compiler.compile_all(&jobs).into_iter().map(Result::unwrap).collect();
    assert_eq!(compiled.len(), 10);
    for (index, code) in compiled.iter().enumerate() {
        assert_eq!(code.arch, archs[index % 5], "answers stand in the order of the jobs");
        assert!(code.cubin.starts_with(b"\x7fELF"));
        assert!((6..=64).contains(&code.code.registers), "{:?}", code.code);
        assert_eq!((code.code.shared_bytes, code.code.barriers, code.code.spill_stores), (512, 1, 0));
        assert!((10..200).contains(&code.code.instructions), "{:?}", code.code);
        assert_eq!(code.code.hash, compiled[index % 5].code.hash);
    }
    let distinct: std::collections::BTreeSet<&str> = compiled.iter().map(|code| code.code.hash.as_str()).collect();
    assert_eq!(distinct.len(), 5, "code for another architecture is other code");
}

#[test]
fn machine_code_does_not_know_names_and_paths() {
    let Some(compiler) = compiler() else { return };
    let sm_90 = arch("sm_90a");
    let first = compiler.compile(&scale(), sm_90).unwrap();
    let header = Header { name: "another/folder/with/a/long/name/factor.cuh".to_owned(), ..scale().headers[0].clone() };
    let moved = Program {
        name: "/somewhere/else/entirely/renamed.cu".to_owned(),
        source: format!("// a comment\n\n{}", SCALE.replace("factor.cuh", &header.name).replace("tile", "renamed_tile")),
        headers: vec![header],
        ..scale()
    };
    let second = compiler.compile(&moved, sm_90).unwrap();
    assert_eq!(first.code, second.code, "size, hash and resources are those of the code alone");
    let lonely =
        Program { source: SCALE.lines().filter(|line| !line.contains("other")).collect::<Vec<_>>().join("\n"), ..scale() };
    assert_eq!(compiler.compile(&lonely, sm_90).unwrap().code, first.code, "another kernel of the source does not count");
    let changed = Program { source: SCALE.replace("FACTOR;", "FACTOR + 1.0f;").replace("FACTOR)", "FACTOR + 1.0f)"), ..scale() };
    assert_ne!(compiler.compile(&changed, sm_90).unwrap().code.hash, first.code.hash);
}

#[test]
fn spills_are_counted() {
    let Some(compiler) = compiler() else { return };
    let source = r#"extern "C" __global__ void __launch_bounds__(1024) spill(double* y) {
        double v[96];
        #pragma unroll
        for (int i = 0; i < 96; i++) v[i] = y[i * 1024 + threadIdx.x];
        __syncthreads();
        #pragma unroll
        for (int i = 0; i < 96; i++) y[i * 1024 + threadIdx.x] = v[i] * v[95 - i];
    }"#;
    let program = Program { source: source.to_owned(), entry: "spill".to_owned(), headers: Vec::new(), ..scale() };
    let code = compiler.compile(&program, arch("sm_80")).unwrap().code;
    assert!(code.spill_stores > 0 && code.spill_loads > 0 && code.registers == 64, "{code:?}");
}

#[test]
fn errors_are_the_compilers_own_with_file_and_line() {
    let Some(compiler) = compiler() else { return };
    let sm_80 = arch("sm_80");
    let error = |program: &Program| compiler.compile(program, sm_80).unwrap_err().to_string();
    let typo = error(&Program { source: SCALE.replace("blockIdx", "blokIdx"), ..scale() });
    assert!(typo.contains("kernels/scale.cu(5): error") && typo.contains("blokIdx"), "{typo}");
    let in_header =
        error(&Program { headers: vec![Header { text: "#error no\n".to_owned(), ..scale().headers[0].clone() }], ..scale() });
    assert!(in_header.contains("factor.cuh(1)"), "{in_header}");
    let entry = error(&Program { entry: "scales".to_owned(), ..scale() });
    assert!(entry.contains("`scales`") && entry.contains("other") && entry.contains("scale"), "{entry}");
    let option = error(&Program { options: vec!["--no-such-option".to_owned()], ..scale() });
    assert!(option.contains("no-such-option"), "{option}");
    let nul = error(&Program { source: "a\0b".to_owned(), ..scale() });
    assert!(nul.contains("NUL"), "{nul}");
    let unknown = compiler.compile(&scale(), arch("sm_30")).unwrap_err().to_string();
    assert!(unknown.contains("no code for sm_30") && unknown.contains("sm_80, "), "{unknown}");
}

#[test]
fn what_was_compiled_is_kept_and_damage_is_mended() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("ratchet/kernels");
    let compiler = compiler.with_cache(cache.clone());
    let sm_80 = arch("sm_80");
    let first = compiler.compile(&scale(), sm_80).unwrap();
    let files = || std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let [file] = &files()[..] else { panic!("one file: {:?}", files()) };
    let whole = std::fs::read(file).unwrap();
    assert_eq!(compiler.compile(&scale(), sm_80).unwrap(), first);
    for damaged in [&whole[..whole.len() / 2], b"", &[whole.clone(), b"x".to_vec()].concat(), &[b"X", &whole[1..]].concat()] {
        std::fs::write(file, damaged).unwrap();
        assert_eq!(compiler.compile(&scale(), sm_80).unwrap(), first);
        assert!(std::fs::read(file).unwrap() != damaged, "it is written anew");
    }
    let other = Program { defines: vec![("BLOCK".to_owned(), "64".to_owned())], ..scale() };
    assert_ne!(compiler.compile(&other, sm_80).unwrap().code.shared_bytes, first.code.shared_bytes);
    assert_eq!(files().len(), 2);
}

#[test]
fn the_cache_is_read_in_place_of_the_compiler() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let compiler = compiler.with_cache(folder.path().to_owned());
    let (small, large) = (scale(), Program { defines: vec![("BLOCK".to_owned(), "64".to_owned())], ..scale() });
    let sm_80 = arch("sm_80");
    let only_file = || std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let code = compiler.compile(&small, sm_80).unwrap().code;
    let kept = std::fs::read(only_file()).unwrap();
    std::fs::remove_file(only_file()).unwrap();
    compiler.compile(&large, sm_80).unwrap();
    // Another kernel's file under this one's name: only a read of the cache can give its code.
    std::fs::write(only_file(), kept).unwrap();
    assert_eq!(compiler.compile(&large, sm_80).unwrap().code, code);
}

/// A library made by rustc; `None` where it cannot link one.
fn fake_library(folder: &Path, name: &str, source: &str) -> Option<PathBuf> {
    let (code, library) = (folder.join(format!("{name}.rs")), folder.join(name));
    std::fs::write(&code, source).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    #[expect(clippy::disallowed_methods, reason = "a test makes a library that only looks like NVRTC")]
    let made = Command::new(rustc).args(["--crate-type", "cdylib", "-o"]).arg(&library).arg(&code).output();
    let is_made = made.is_ok_and(|made| made.status.success());
    if !is_made {
        eprintln!("SKIPPED: rustc cannot make a shared library here");
    }
    is_made.then_some(library)
}

fn missing(configured: &Path) -> CompilerMissing {
    Compiler::find(&CompilerSearch { configured: Some(configured.to_owned()), env: &|_| None }).unwrap_err()
}

#[test]
fn libraries_that_are_not_nvrtc_are_told_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let error = missing(folder.path());
    assert!(error.unusable.is_empty() && error.to_string().contains("ratchet.nvrtc"), "{error}");
    let text = folder.path().join("libnvrtc.so.12");
    std::fs::write(&text, "this is no library").unwrap();
    assert!(missing(folder.path()).to_string().contains("libnvrtc.so.12"));
    let version = |major: u32| {
        format!(
            "#[unsafe(no_mangle)] pub unsafe extern \"C\" fn nvrtcVersion(major: *mut i32, minor: *mut i32) -> i32 \
             {{ unsafe {{ *major = {major}; *minor = 2; }} 0 }}"
        )
    };
    let Some(old) = fake_library(folder.path(), "libold.so", &version(11)) else { return };
    assert!(missing(&old).to_string().contains("it is NVRTC 11.2, older than 12.0"), "{}", missing(&old));
    let Some(bare) = fake_library(folder.path(), "libbare.so", &version(13)) else { return };
    assert!(missing(&bare).to_string().contains("it has no function nvrtcGetErrorString"), "{}", missing(&bare));
    let Some(other) = fake_library(folder.path(), "libother.so", "#[unsafe(no_mangle)] pub extern \"C\" fn f() {}") else {
        return;
    };
    assert!(missing(&other).to_string().contains("it has no function nvrtcVersion"), "{}", missing(&other));
}

#[test]
fn the_active_python_environment_is_looked_into() {
    let Some(real) = compiler() else { return };
    let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nvrtc");
    if !real.library().starts_with(&environment) {
        eprintln!("SKIPPED: NVRTC is not in target/nvrtc");
        return;
    }
    let env = |name: &str| (name == "VIRTUAL_ENV").then(|| environment.display().to_string());
    let found = Compiler::find(&CompilerSearch { configured: None, env: &env }).unwrap();
    assert_eq!(found.library(), real.library());
    assert!(found.has_headers());
    let by_file = Compiler::find(&CompilerSearch { configured: Some(real.library().to_owned()), env: &|_| None }).unwrap();
    assert_eq!(by_file.compile(&scale(), arch("sm_80")).unwrap().code, found.compile(&scale(), arch("sm_80")).unwrap().code);
}
