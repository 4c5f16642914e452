//! Which files differ between two trees, against what plain git says.

use super::*;
use crate::store::Blob;

#[test]
fn changed_files_are_those_that_git_names() {
    let world = World::new();
    let commit = |world: &World| {
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", "x"]);
        world.id("HEAD")
    };
    let write = |path: &str, content: &str| {
        let path = world.dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("a", "1");
    write("dir/b", "1");
    write("dir/deep/c", "1");
    write("was-file", "1");
    let before = commit(&world);
    write("dir/b", "2");
    write("dir/new", "2");
    std::fs::remove_file(world.dir.join("dir/deep/c")).unwrap();
    std::fs::remove_file(world.dir.join("was-file")).unwrap();
    write("was-file/now-folder", "2");
    let after = commit(&world);
    let store = world.store();
    let tree = |commit| store.commit(commit).unwrap().tree;
    let (changed, more) = store.changed_paths(tree(before), tree(after)).unwrap();
    let mut ours: Vec<String> = changed
        .iter()
        .map(|path| {
            let kind = match (path.before, path.after) {
                (None, _) => "A",
                (_, None) => "D",
                _ => "M",
            };
            format!("{kind}\t{}", path.path)
        })
        .collect();
    ours.sort();
    let listed = world.git(&["diff-tree", "-r", "--no-renames", "--name-status", &before.to_string(), &after.to_string()]);
    let mut theirs: Vec<&str> = listed.lines().collect();
    theirs.sort_unstable();
    assert_eq!((ours.iter().map(String::as_str).collect::<Vec<_>>(), more), (theirs, false));
    let file = changed.iter().find(|path| path.path == "dir/b").unwrap();
    assert_eq!(store.read_blob(file.after.unwrap(), 100).unwrap(), Blob::Bytes(b"2".to_vec()));
    assert_eq!(store.read_blob(file.after.unwrap(), 0).unwrap(), Blob::TooLarge(1));
    assert_eq!(store.changed_paths(tree(after), tree(after)).unwrap(), (vec![], false));
}
