//! The files that a manifest leads to: includes, sizes, encodings, and no way out of the repository.

use super::*;

#[test]
fn includes_stay_in_the_repository_and_end() {
    let manifest = "entry = \"k\"\nincludes = [\"inc\"]\nlaunch = { grid = [1], block = [1] }\n";
    let with = |source: &str| Repository::default().with("a/k.toml", manifest).with("a/k.cu", source);
    let headers = |repository: &Repository| {
        let manifest = repository.load("a/k.toml")?;
        let plan = plan(&manifest)?;
        Ok::<_, ManifestError>(plan.program.headers.into_iter().map(|header| header.name).collect::<Vec<_>>())
    };
    let cycle = with("#include \"x.h\"\n").with("a/inc/x.h", " # include \"y.h\"\n").with("a/inc/y.h", "#include \"x.h\"");
    assert_eq!(headers(&cycle).unwrap(), ["x.h", "y.h"]);
    let parent = with("#include \"../b/z.h\"\n").with("b/z.h", "");
    assert_eq!(headers(&parent).unwrap(), ["../b/z.h"]);
    let unknown = with("#include \"cuda_fp16.h\"\n#include <vector>\n#include\n#include \"\n");
    assert_eq!(headers(&unknown).unwrap(), [""; 0]);
    for outside in ["../../etc/passwd", "/etc/passwd"] {
        let error = headers(&with(&format!("#include \"{outside}\"\n"))).unwrap_err().to_string();
        assert!(error.contains(outside) && error.contains("out of the repository"), "{error}");
    }
    let two = with("#include \"x.h\"\n#include \"d/y.h\"\n")
        .with("a/inc/x.h", "1")
        .with("a/d/y.h", "#include \"x.h\"")
        .with("a/d/x.h", "2");
    assert!(headers(&two).unwrap_err().to_string().contains("rename one"));
    let chain = (0..300).fold(with("#include \"h0.h\"\n"), |repository, i| {
        repository.with(&format!("a/h{i}.h"), format!("#include \"h{}.h\"\n", i + 1))
    });
    assert!(headers(&chain).unwrap_err().to_string().contains("more than 256 files"));
}

#[test]
fn files_that_nobody_wrote_by_hand_are_refused() {
    let good = "entry = \"k\"\nlaunch = { grid = [1], block = [1] }\n";
    let error = |repository: Repository| repository.load("k.toml").unwrap_err().to_string();
    assert!(error(Repository::default()).contains("cannot read k.toml"));
    let big = vec![b'#'; 10_000_000];
    assert!(error(Repository::default().with("k.toml", big.clone())).contains("k.toml has 10000000 bytes"));
    assert!(error(Repository::default().with("k.toml", good).with("k.cu", big)).contains("k.cu has 10000000 bytes"));
    assert!(error(Repository::default().with("k.toml", &b"# \xff"[..])).contains("not UTF-8: byte 2"));
    assert!(error(Repository::default().with("k.toml", good).with("k.cu", &b"\xfe"[..])).contains("k.cu is not UTF-8"));
    assert!(error(Repository::default().with("k.toml", "entry = 1")).contains("k.toml:1:9"));
}

#[test]
fn the_work_tree_is_not_left() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("repository");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(outer.path().join("secret"), "s").unwrap();
    std::fs::write(root.join("a.cu"), "a").unwrap();
    let read = work_tree(&root);
    assert_eq!(read("a.cu").unwrap(), b"a");
    assert_eq!(read("b.cu").unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(read("../secret").is_err() && read("/etc/hostname").is_err() && read(".").is_err());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("link")).unwrap();
        assert!(read("link").unwrap_err().to_string().contains("outside the repository"));
    }
}
