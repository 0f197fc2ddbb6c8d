# SPDX-License-Identifier: MIT
# People build and test in a session: nothing of that meets the seccomp profile.
# What the agent's image has anyway is always tried; the toolchains, gdb and
# strace, a download of 500 MB, and installing from registries, with
# DRYDOCK_TEST_TOOLCHAINS=all.

load ../helper
load registry
load toolchain-images

if [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ]; then
  export DRYDOCK_TOOLCHAINS="c go java node python rust"
  export DRYDOCK_PACKAGES="gdb gradle sqlite3 strace"
fi

setup() {
  bed_setup user
  toolchains_adopt
}

need_all() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "DRYDOCK_TEST_TOOLCHAINS=all tries $1"
}

# script: runs standard input as a shell script in a session on $project; each
# command must succeed, and the last output line is "done".
script() {
  { echo 'set -eu'; cat; echo 'echo done'; } >"$project/script.sh"
  chmod 0644 "$project/script.sh"
  run --separate-stderr in_session sh script.sh
  [ "$status: ${output##*$'\n'}" = "0: done" ] ||
    fail "status $status" "$output" "$stderr"
}

@test "gcc and make build, and a program may ask what programs ask" {
  cp "$BATS_TEST_DIRNAME/toolchains/calls.c" "$project"
  for i in 1 2 3 4; do
    echo "int f$i(void); int f$i(void) { return $i; }" >"$project/f$i.c"
  done
  cat >"$project/Makefile" <<'END_OF_MAKEFILE'
CFLAGS = -O2 -g -pipe -D_GNU_SOURCE -pthread
OBJS = f1.o f2.o f3.o f4.o calls.o
calls: $(OBJS)
	$(CC) $(CFLAGS) -o $@ $(OBJS) -lrt
libf.a: $(OBJS)
	$(AR) rcs $@ $(OBJS)
libf.so: f1.c f2.c
	$(CC) $(CFLAGS) -shared -fPIC -flto -o $@ f1.c f2.c
END_OF_MAKEFILE
  chmod 0644 "$project"/*
  script <<'END_OF_SCRIPT'
make -s -j4 --output-sync calls libf.a libf.so
cp calls /tmp/calls
mkdir /tmp/work && cd /tmp/work
/tmp/calls
END_OF_SCRIPT
  assert_equal "$output" "done
done"
}

@test "files are copied, packed and installed with their modes, but no set-id bits" {
  script <<'END_OF_SCRIPT'
mkdir -p tree/sub
echo x >tree/file && chmod 0750 tree/sub && chmod 0444 tree/file
ln -s file tree/link && ln tree/file tree/hard && mkfifo tree/fifo
touch -d 2020-01-01 tree/file
install -m 0755 -d made
install -m 0751 tree/file made/program
cp -a tree copy
cp --reflink=auto --sparse=always tree/file made/sparse
tar -cf tree.tar tree && mkdir out && tar -C out -xpf tree.tar
[ "$(stat -c %a,%Y copy/file out/tree/file | sort -u | wc -l)" = 1 ]
[ "$(stat -c %a copy/sub)" = 750 ]
[ "$(stat -c %a made/program)" = 751 ]
chmod 1777 made && mkdir -m 0700 private
find tree -newermt 2019-01-01 -print0 | xargs -0 -P 2 ls -d >list
sort -S 1M --parallel=2 list >sorted
truncate -s 1M big && dd if=big of=big2 bs=64k conv=fsync status=none
flock big true && timeout 5 true && nice true && setsid -w true
# Set-id bits are refused whoever asks, and the files go without.
mkdir set && cd set
mkdir dir && touch file
for mode in g+s 2755 u+s 4755 6755; do
  if chmod "$mode" dir || chmod "$mode" file; then
    echo "chmod $mode"
  fi
done 2>/dev/null
install -m 4755 file made 2>/dev/null && echo install
mkdir -m 2755 other 2>/dev/null && echo mkdir
python3 -c '
import os
for f in (lambda: os.chmod("file", 0o4755), lambda: os.fchmod(3, 0o2755),
          lambda: os.mknod("node", 0o104755), lambda: os.open("made",
          os.O_CREAT | os.O_WRONLY, 0o6755)):
    try:
        f()
        print("set")
    except PermissionError:
        pass' 3<>file
[ -z "$(find . -perm /6000)" ]
END_OF_SCRIPT
  assert_equal "$output" "done"
  assert_equal "$(find "$project" -perm /6000)" ""
}

@test "i386's and x32's calls are refused the same" {
  [ "$(uname -m)" = x86_64 ] || skip "they are x86-64's"
  cp "$BATS_TEST_DIRNAME/toolchains/abi.c" "$project"
  chmod 0644 "$project/abi.c"
  script <<'END_OF_SCRIPT'
gcc -O1 -D_GNU_SOURCE -o abi abi.c
./abi
END_OF_SCRIPT
  assert_equal "$output" "done
done"
  assert_equal "$(find "$project" -perm /6000)" ""
}

@test "npm, a python environment, sqlite and git work trees work" {
  script <<'END_OF_SCRIPT'
mkdir -p app/lib
echo '{"name": "lib", "version": "1.0.0"}' >app/lib/package.json
echo 'exports.one = 1' >app/lib/index.js
cat >app/package.json <<'END'
{"name": "app", "version": "1.0.0", "scripts": {"test": "node --test"},
 "dependencies": {"lib": "file:lib"}}
END
echo 'require("test")("one", () => require("assert").equal(
  require("lib").one, 1))' | sed 's/"test"/"node:test"/' >app/one.test.js
cd app
npm install --offline --no-audit --no-fund --loglevel error >/dev/null
npm test >/dev/null
npm pack --silent >/dev/null
cd ..
python3 -m venv --without-pip venv
venv/bin/python -c '
import asyncio, multiprocessing.shared_memory, sqlite3, subprocess, unittest
with sqlite3.connect("x.db") as db:
    db.execute("pragma journal_mode = wal")
    db.execute("create table t (n)")
    db.executemany("insert into t values (?)", [(n,) for n in range(100)])
assert sqlite3.connect("x.db").execute("select sum(n) from t").fetchone()[0] == 4950
multiprocessing.shared_memory.SharedMemory(create=True, size=10).unlink()
async def main():
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    server.close()
asyncio.run(main())'
export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e@e GIT_COMMITTER_NAME=n \
  GIT_COMMITTER_EMAIL=e@e
git init -q -b main repo && cd repo
echo a >a && git add a && git commit -q -m one
git worktree add -q ../side && (cd ../side && echo b >a && git commit -q -am two)
git merge -q side && git gc -q && git fsck --no-progress
git worktree remove ../side && git stash list
git clone -q --local . ../clone && git -C ../clone log --oneline | grep -q two
END_OF_SCRIPT
}

@test "npm ci installs from a registry, and pip -r from wheels" {
  need_all "npm ci and pip"
  script <<'END_OF_SCRIPT'
# A registry on loopback: the package's document, and its tarball.
mkdir -p registry/tgz dep app && cd dep
echo '{"name": "dep", "version": "1.0.0"}' >package.json
echo 'module.exports = 42' >index.js
npm pack --silent --pack-destination ../registry/tgz >/dev/null
cd ../registry
python3 -c '
import base64, hashlib, json
name = "dep-1.0.0.tgz"
digest = hashlib.sha512(open("tgz/" + name, "rb").read()).digest()
json.dump({"name": "dep", "dist-tags": {"latest": "1.0.0"}, "versions": {
    "1.0.0": {"name": "dep", "version": "1.0.0", "dist": {
        "tarball": "http://127.0.0.1:8099/tgz/" + name,
        "integrity": "sha512-" + base64.b64encode(digest).decode()}}}},
    open("dep", "w"))'
python3 -m http.server --bind 127.0.0.1 8099 >../requests 2>&1 &
server=$!
until curl --silent --noproxy '*' --output /dev/null http://127.0.0.1:8099/
do sleep 0.1; done
cd ../app
echo '{"name": "app", "version": "1.0.0", "dependencies": {"dep": "^1"}}' \
  >package.json
npm install --registry http://127.0.0.1:8099/ --no-audit --no-fund \
  --package-lock-only --loglevel error >/dev/null
grep -q '"integrity": "sha512-' package-lock.json
# npm pack has left the tarball in the cache.
npm ci --registry http://127.0.0.1:8099/ --cache /tmp/npm --no-audit \
  --no-fund --loglevel error >/dev/null
kill "$server"
grep -q 'GET /tgz/dep-1.0.0.tgz' ../requests
node -p 'require("dep")'
cd ..
python3 -c '
import os, zipfile
os.mkdir("wheels")
info = "dep-1.0.dist-info/"
with zipfile.ZipFile("wheels/dep-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("dep.py", "value = 43")
    wheel.writestr(info + "METADATA",
                   "Metadata-Version: 2.1\nName: dep\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\n"
                   "Root-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "dep.py,,\n" + info + "METADATA,,\n" +
                   info + "WHEEL,,\n" + info + "RECORD,,\n")'
echo "dep==1.0 --hash=sha256:$(sha256sum wheels/*.whl | cut -d ' ' -f 1)" \
  >requirements.txt
python3 -m venv venv
venv/bin/pip install --quiet --no-index --find-links wheels \
  -r requirements.txt
venv/bin/python -c 'import dep; print(dep.value)'
END_OF_SCRIPT
  assert_equal "${lines[*]}" "42 43 done"
}

@test "cargo builds and tests, with a vendored crate and one beside" {
  need_all cargo
  script <<'END_OF_SCRIPT'
mkdir -p app/src app/vendor/far/src app/near/src && cd app
cat >Cargo.toml <<'END'
[package]
name = "app"
version = "0.1.0"
edition = "2021"
[dependencies]
far = "1"
near = { path = "near" }
END
mkdir .cargo
cat >.cargo/config.toml <<'END'
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "vendor"
END
for name in far near; do
  [ $name = far ] && dir=vendor/far || dir=near
  printf '[package]\nname = "%s"\nversion = "1.0.0"\n' $name >$dir/Cargo.toml
  echo "pub fn $name() -> u32 { 3 }" >$dir/src/lib.rs
done
echo '{"files": {}}' >vendor/far/.cargo-checksum.json
cat >src/lib.rs <<'END'
pub fn sum(n: u32) -> u32 {
    let all: Vec<_> = (0..n).map(|i| std::thread::spawn(move || i)).collect();
    all.into_iter().map(|t| t.join().unwrap()).sum()
}
#[test]
fn sums() {
    assert_eq!(sum(10), 45);
    let dir = std::env::temp_dir().join("t");
    std::fs::write(&dir, "x").unwrap();
    std::fs::copy(&dir, dir.with_extension("y")).unwrap();
    std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(std::process::Command::new("true").status().unwrap().success());
}
END
echo 'fn main() { println!("{}", app::sum(far::far() + near::near())) }' \
  >src/main.rs
cargo build -q --offline --release -j2
cargo test -q --offline >/dev/null
cargo run -q --offline
END_OF_SCRIPT
  assert_equal "${lines[0]}" 15
}

@test "go builds and tests, with a vendored module" {
  need_all go
  script <<'END_OF_SCRIPT'
export GOFLAGS=-mod=vendor GOPROXY=off GOTOOLCHAIN=local
mkdir -p app/vendor/example.test/dep && cd app
printf 'module example.test/app\n\ngo 1.19\n\nrequire example.test/dep v1.0.0\n' \
  >go.mod
printf '# example.test/dep v1.0.0\n## explicit\nexample.test/dep\n' \
  >vendor/modules.txt
printf 'package dep\n\nconst N = 4\n' >vendor/example.test/dep/dep.go
cat >app.go <<'END'
package main

import (
	"fmt"

	"example.test/dep"
)

func sum(n int) (s int) {
	c := make(chan int)
	for i := 0; i < n; i++ {
		go func(i int) { c <- i }(i)
	}
	for i := 0; i < n; i++ {
		s += <-c
	}
	return
}

func main() { fmt.Println(sum(dep.N)) }
END
cat >app_test.go <<'END'
package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
)

func TestSum(t *testing.T) {
	t.Parallel()
	if sum(1000) != 499500 {
		t.Fatal("sum")
	}
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	r, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadAll(r.Body)
	if err := exec.Command("true").Run(); err != nil {
		t.Fatal(err)
	}
}
END
go vet ./...
go test -count=1 ./... >/dev/null
go build -o app . && ./app
END_OF_SCRIPT
  assert_equal "${lines[0]}" 6
}

@test "mvn -o compiles and packs with the plugins that Debian has" {
  need_all maven
  script <<'END_OF_SCRIPT'
mkdir -p app/src/main/java && cd app
cat >pom.xml <<'END'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId>
  <artifactId>app</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
  </properties>
</project>
END
cat >settings.xml <<'END'
<settings><mirrors><mirror>
  <id>debian</id>
  <mirrorOf>*</mirrorOf>
  <url>file:///usr/share/maven-repo</url>
</mirror></mirrors></settings>
END
cat >src/main/java/App.java <<'END'
import java.util.stream.IntStream;
public class App {
    public static void main(String[] args) {
        System.out.println(IntStream.range(0, 4).parallel().sum());
    }
}
END
mvn -o -B -q -s settings.xml -Daether.offline.protocols=file package \
  >mvn.log || { cat mvn.log; false; }
java -cp target/app-1.jar App
END_OF_SCRIPT
  assert_equal "${lines[-2]}" 6
}

# in_slot LOG CACHE COMMAND...: COMMAND in a session with a repository at
# http://127.0.0.1:8099, whose requests are in LOG; prints the milliseconds.  The
# cache in the home leads to the session's slot.
in_slot() {
  run --separate-stderr in_session sh -euc '. ./serve.sh "$1"
    readlink ~/"$2"
    shift 2
    timed sh -c "\"\$@\" >&2" sh "$@"' sh "$@"
  [ "$status" = 0 ] || fail "$output" "$stderr"
  assert_equal "${lines[0]}" "/var/lib/drydock/cache/${2#.}"
  [ "${lines[1]}" -gt 0 ]
  echo "# ${3} $1: ${lines[1]} ms, $(grep -vcx / "$project/$1" || true) requests" >&3
}

# What Debian's packages of Java bring, as a repository.
debian_repository() {
  loopback "$project"
  rmdir "$project/registry"
  ln -s /usr/share/maven-repo "$project/registry"
}

@test "maven's slot: cold, warm, offline" {
  local build=(mvn -B -q -s settings.xml)
  need_all maven
  debian_repository
  mkdir -p "$project/src/main/java"
  cat >"$project/pom.xml" <<'END'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId>
  <artifactId>app</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
  </properties>
</project>
END
  cat >"$project/settings.xml" <<'END'
<settings><mirrors><mirror>
  <id>loopback</id>
  <mirrorOf>*</mirrorOf>
  <url>http://127.0.0.1:8099/</url>
</mirror></mirrors></settings>
END
  echo 'public class App { }' >"$project/src/main/java/App.java"
  chmod -R a+rX "$project"
  chown -R "$BED_UID:$BED_UID" "$project"
  in_slot cold .m2/repository "${build[@]}" package
  [ -e "$project/target/app-1.jar" ]
  grep -q 'maven-compiler-plugin.*\.jar$' "$project/cold"
  [ -n "$(find "$XDG_STATE_HOME"/drydock/caches/*/0/data/m2/repository \
    -name 'maven-compiler-plugin*.jar')" ]
  rm -r "$project/target"
  in_slot warm .m2/repository "${build[@]}" package
  [ -e "$project/target/app-1.jar" ]
  # The one request is the script's own.
  assert_equal "$(<"$project/warm")" /
  rm -r "$project/target"
  in_slot offline .m2/repository "${build[@]}" -o package
  [ -e "$project/target/app-1.jar" ]
  # Without the slot it has no plugin.
  rm -r "$XDG_STATE_HOME"/drydock/caches/*/0/data/m2
  run in_session mvn -B -q -s settings.xml -o package
  [ "$status" = 1 ]
  assert_contains "$output" offline
}

@test "gradle's slot: cold, warm, offline" {
  local build=(gradle --no-daemon -q)
  need_all gradle
  debian_repository
  cat >"$project/build.gradle" <<'END'
apply plugin: 'java'
repositories { maven { url 'http://127.0.0.1:8099/' } }
dependencies { compile 'org.hamcrest:hamcrest-core:debian' }
task show { doLast { configurations.compileClasspath.each { println it } } }
END
  chmod -R a+rX "$project"
  chown -R "$BED_UID:$BED_UID" "$project"
  in_slot cold .gradle/caches "${build[@]}" show
  grep -q 'hamcrest-debian\.jar$' "$project/cold"
  assert_contains "$stderr" "/.gradle/caches/modules-2/"
  in_slot warm .gradle/caches "${build[@]}" show
  assert_contains "$stderr" "/hamcrest-debian.jar"
  assert_equal "$(<"$project/warm")" /
  in_slot offline .gradle/caches "${build[@]}" --offline show
  assert_contains "$stderr" "/hamcrest-debian.jar"
  # Without the slot it has no jar.
  rm -r "$XDG_STATE_HOME"/drydock/caches/*/0/data/gradle
  run in_session gradle --no-daemon -q --offline show
  [ "$status" = 1 ]
  assert_contains "$output" offline
}

@test "gdb and strace look at programs of the session" {
  need_all "gdb and strace"
  script <<'END_OF_SCRIPT'
echo 'int main(void) { return 3; }' >p.c && gcc -g p.c -o p
gdb -q -batch -ex 'break main' -ex run -ex 'print 40 + 2' -ex continue ./p \
  2>/dev/null | grep -q '= 42'
strace -f -o trace sh -c 'true | cat'
grep -q execve trace
sqlite3 x.db 'create table t (n); insert into t values (7); select n from t;'
END_OF_SCRIPT
  assert_equal "${lines[0]}" 7
}
