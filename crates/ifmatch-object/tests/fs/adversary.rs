//! An enemy, or an unlucky operator, was at the files.

use std::os::unix::fs::symlink;
use std::path::Path;

use ifmatch_core::{ConditionalBlobStore, Error, Precondition};
use ifmatch_object::FsBlobStore;
use tempfile::TempDir;

use crate::support::{durable, is_corrupt, key, keys, objects, put, quick, scratch, text, tree};

/// A store, and a folder beside it that nobody may touch.
struct Scene {
    folder: TempDir,
    store: FsBlobStore,
}

impl Scene {
    async fn new() -> Self {
        let (folder, store) = scratch();
        put(&store, "seed", "1").await.unwrap();
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::copy(store.root().join("seed.o"), outside.join("seed.o")).unwrap();
        std::fs::write(outside.join("secret"), "secret").unwrap();
        Self { folder, store }
    }

    fn outside(&self) -> std::path::PathBuf {
        self.folder.path().join("outside")
    }

    fn plant(&self, name: &str, target: &Path) {
        let link = self.store.root().join(name);
        let _ = std::fs::remove_file(&link).or_else(|_| std::fs::remove_dir_all(&link));
        symlink(target, link).unwrap();
    }

    fn check(&self) {
        let outside = self.outside();
        assert_eq!(tree(&outside).into_keys().count(), 2, "{:?}", tree(&outside));
        assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"secret");
        assert!(outside.join("seed.o").metadata().unwrap().len() == 129);
    }
}

#[tokio::test]
async fn a_symbolic_link_in_the_place_of_a_folder_is_not_followed() {
    let scene = Scene::new().await;
    scene.plant("x.d", &scene.outside());
    assert!(is_corrupt(text(&scene.store, "x/seed").await));
    assert!(is_corrupt(put(&scene.store, "x/seed", "2").await));
    assert!(is_corrupt(put(&scene.store, "x/y/z", "2").await));
    assert!(is_corrupt(scene.store.delete(&key("x/seed"), Precondition::Overwrite).await));
    assert_eq!(scene.store.foreign_names().await.unwrap(), 1);
    scene.check();
}

#[tokio::test]
async fn a_symbolic_link_in_the_place_of_an_object_is_replaced_and_not_followed() {
    let scene = Scene::new().await;
    for target in [scene.outside().join("seed.o"), scene.outside(), "/nowhere".into()] {
        scene.plant("seed.o", &target);
        assert!(is_corrupt(text(&scene.store, "seed").await));
        assert!(is_corrupt(scene.store.head(&key("seed")).await));
        let created = scene.store.put(&key("seed"), "2".into(), Precondition::IfAbsent).await;
        assert!(is_corrupt(created));
        put(&scene.store, "seed", "2").await.unwrap();
        assert_eq!(text(&scene.store, "seed").await.unwrap().as_deref(), Some("2"));
        scene.plant("seed.o", &target);
        scene.store.delete(&key("seed"), Precondition::Overwrite).await.unwrap();
        scene.check();
    }
}

#[tokio::test]
async fn a_symbolic_link_in_the_place_of_locks_and_staging_is_not_followed() {
    let scene = Scene::new().await;
    let shards: Vec<_> = (0..64).map(|n| format!(".ifmatch-store/{n:02x}")).collect();
    for name in &shards {
        let _ = std::fs::remove_dir_all(scene.store.root().join(name));
        scene.plant(name, &scene.outside());
    }
    assert!(is_corrupt(put(&scene.store, "seed", "2").await));
    for name in &shards {
        std::fs::remove_file(scene.store.root().join(name)).unwrap();
        std::fs::create_dir(scene.store.root().join(name)).unwrap();
        scene.plant(&format!("{name}/lock"), &scene.outside().join("secret"));
    }
    assert!(is_corrupt(put(&scene.store, "seed", "2").await));
    std::fs::remove_dir_all(scene.store.root().join(".ifmatch-store")).unwrap();
    scene.plant(".ifmatch-store", &scene.outside());
    assert!(is_corrupt(put(&scene.store, "seed", "2").await));
    scene.check();
    assert_eq!(text(&scene.store, "seed").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_folder_or_a_pipe_in_the_place_of_an_object_is_corrupt() {
    let (_folder, store) = scratch();
    put(&store, "seed", "1").await.unwrap();
    std::fs::create_dir(store.root().join("a.o")).unwrap();
    let pipe = store.root().join("b.o");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(is_corrupt(text(&store, "a").await));
    assert!(is_corrupt(put(&store, "a", "2").await));
    assert!(is_corrupt(store.delete(&key("a"), Precondition::Overwrite).await));
    if made.is_ok_and(|status| status.success()) {
        assert!(is_corrupt(text(&store, "b").await));
        put(&store, "b", "2").await.unwrap();
        assert_eq!(text(&store, "b").await.unwrap().as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn the_root_itself_may_be_a_symbolic_link() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", folder.path().join("link")).unwrap();
    put(&durable(&folder.path().join("link")), "a", "1").await.unwrap();
    assert_eq!(objects(&folder.path().join("real")), ["a.o"]);
}

#[tokio::test]
async fn a_root_that_cannot_be_a_folder_is_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    for root in [file.clone(), file.join("below")] {
        let store = quick(&root);
        for error in [put(&store, "a", "1").await.err(), text(&store, "a").await.err()] {
            assert!(matches!(error, Some(Error::Invalid { .. })), "{error:?}");
        }
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    if Path::new("/proc/self").exists() {
        let error = put(&quick(Path::new("/proc/ifmatch/root")), "a", "1").await.unwrap_err();
        assert!(matches!(error.kind(), "denied" | "other"), "{error:?}");
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        println!("skipped: permissions do not stop root");
        return;
    }
    let (_folder, store) = scratch();
    put(&store, "a", "1").await.unwrap();
    let lock = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(store.root(), mode).unwrap();
    };
    lock(0o500);
    let error = put(&store, "b/c", "2").await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error:?}");
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some("1"));
    lock(0o700);
}

/// A small file system that is unmounted at the end.
struct Mounted(TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "ifmatch-test"])
            .arg(folder.path())
            .status();
        if status.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: no file system may be mounted here");
        None
    }

    fn remount(&self, options: &str) {
        let status = std::process::Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_a_typed_error_and_leaves_the_old_body() {
    let Some(disk) = Mounted::new("size=256k") else { return };
    let store = durable(disk.0.path());
    put(&store, "a", "old").await.unwrap();
    let big = "x".repeat(400 << 10);
    for name in ["a", "new/folder/b"] {
        let error = put(&store, name, &big).await.unwrap_err();
        assert!(matches!(error, Error::Other { .. }), "{error:?}");
        let cause = error.cause().unwrap().source().unwrap().to_string();
        assert!(cause.to_lowercase().contains("no space left"), "{cause}");
    }
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some("old"));
    assert_eq!(keys(&store, "", None).await, ["a"]);
    assert_eq!(objects(disk.0.path()), ["a.o"]);
    assert!(crate::support::debris(disk.0.path()).is_empty());
    put(&store, "a", "small").await.unwrap();
}

#[tokio::test]
async fn a_read_only_disk_can_be_read_and_denies_writes() {
    let Some(disk) = Mounted::new("size=256k") else { return };
    let store = durable(disk.0.path());
    put(&store, "a/b", "old").await.unwrap();
    disk.remount("ro");
    for answer in [
        put(&store, "a/b", "new").await.map(drop),
        put(&store, "c", "new").await.map(drop),
        store.delete(&key("a/b"), Precondition::Overwrite).await,
    ] {
        assert!(matches!(answer, Err(Error::Denied { .. })), "{answer:?}");
    }
    assert_eq!(text(&store, "a/b").await.unwrap().as_deref(), Some("old"));
    assert_eq!(keys(&store, "", None).await, ["a/b"]);
    disk.remount("rw");
    put(&store, "a/b", "new").await.unwrap();
}
