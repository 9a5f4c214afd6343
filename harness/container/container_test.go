package container

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/daemon"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What the test binary is started as by the tests.
const (
	deviceEnv = "GDOILAB_TEST_DEVICE" // a device, which does what the value says
	victimEnv = "GDOILAB_TEST_VICTIM" // a run that is killed
)

func TestMain(m *testing.M) {
	daemon.BecomeIfAsked()
	HoldIfAsked()
	switch {
	case os.Getenv(deviceEnv) != "":
		device(os.Getenv(deviceEnv))
	case os.Getenv(victimEnv) != "":
		victim()
	}
	os.Exit(m.Run())
}

// device is a member that does one thing.
func device(what string) {
	fmt.Println("up on", os.Args[1])
	switch what {
	case "ends":
		fmt.Fprintln(os.Stderr, "no licence")
		os.Exit(3)
	case "ignores":
		signal.Ignore(syscall.SIGTERM)
	case "writes":
		_ = os.WriteFile("/core", []byte("the core"), 0o600)
		_ = os.WriteFile("/gdoilab/log", []byte("said REGISTERED here\n"), 0o600)
	}
	time.Sleep(time.Hour)
}

// victim starts a group in containers and waits for its end.
func victim() {
	l, err := lab.New(context.Background(), lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: both()}, lab.Setup{Device: rule.Both})
	if err == nil {
		err = l.Up(context.Background())
	}
	fmt.Println(err)
	time.Sleep(time.Hour)
}

// needEngine skips a test, with the reason, where there are no containers, or where the test binary cannot be put into one.
func needEngine(t testing.TB) *engine {
	t.Helper()
	if err := errors.Join(lab.Namespaces{}.Usable(), lab.Containers()); err != nil {
		t.Skip(err)
	}
	program, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if libraries, _ := program.ImportedLibraries(); len(libraries) > 0 {
		t.Skip("an image from scratch takes static programs: CGO_ENABLED=0 makes the test one")
	}
	e := &engine{}
	if err := e.Usable(); err != nil {
		t.Fatal(err)
	}
	return e
}

// both is the manifest of the reference in containers.
func both() *peer.Manifest {
	m, err := peer.Load("reference-container")
	if err != nil {
		panic(err)
	}
	return m
}

// mixed is the reference with the key server of one manifest and the member of the other.
func mixed(ks, gm *peer.Manifest) *peer.Manifest {
	m := *ks
	m.GM = gm.GM
	return &m
}

// of lists the containers of an owner whose mark begins so.
func of(t testing.TB, e *engine, owner string) []string {
	t.Helper()
	found, err := e.provider.Client().ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", ownerLabel)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range found.Items {
		if strings.HasPrefix(c.Labels[ownerLabel], owner) {
			names = append(names, c.Names...)
		}
	}
	return names
}

// own is how the marks of a process begin.
func own(pid int) string { return fmt.Sprintf("gdoilab-%d-", pid) }

// A group works the same wherever its members and its key server are, and nothing stays of it.
func TestContainersAndNamespacesMakeAGroup(t *testing.T) {
	e := needEngine(t)
	inNamespaces, err := peer.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*peer.Manifest{
		"key server in a container": mixed(both(), inNamespaces),
		"members in containers":     mixed(inNamespaces, both()),
		"all in containers":         both(),
	} {
		t.Run(name, func(t *testing.T) { group(t, m) })
	}
	if left := of(t, e, own(os.Getpid())); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func group(t *testing.T, m *peer.Manifest) {
	ctx := t.Context()
	l, err := lab.New(ctx, lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: m}, lab.Setup{Device: rule.Both, Members: 2, Hosts: true, IPv6: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	probe, err := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), lab.Ping{Count: 3, Interval: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l.Wait(ctx, lab.Patience, probe.Done)
	if got := probe.Stop(); got.Received != 3 {
		t.Errorf("%+v", got)
	}
	if err := l.GM[0].Clear(ctx); err != nil {
		t.Error(err)
	}
	for _, p := range l.Peers() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		shown, err := p.Show()
		paths := make([]string, len(shown.Config))
		for i, f := range shown.Config {
			paths[i] = f.Path
		}
		if err != nil || len(p.Keys()) == 0 || len(shown.Log) == 0 || !slices.Contains(paths, "config.yaml") {
			t.Errorf("%s: %d keys, %d lines, %v, %v", p.Name(), len(p.Keys()), len(shown.Log), paths, err)
		}
	}
}

// A device that is started anew keeps its place in the network.
func TestStartsAgain(t *testing.T) {
	needEngine(t)
	ctx := t.Context()
	l, err := lab.New(ctx, lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: both()}, lab.Setup{Device: rule.GM})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.KS.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.GM[0].Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.GM[0].AwaitRegistered(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.GM[0].Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// described is a manifest of a member that is this test binary.
func described(t *testing.T, what, rest string) *peer.Manifest {
	t.Helper()
	m, err := peer.Parse("m.yaml", []byte(`name: described
features: ["*"]
roles:
  GM:
    container:
      build: [{path: /Device.test, from: "{{ .Program }}"}]
      command: [/Device.test, "{{ .WAN }}"]
      environment: [`+deviceEnv+`=`+what+`]
      stop: {within: 300ms}
`+rest))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func startMember(t *testing.T, m *peer.Manifest) (*lab.Lab, error) {
	t.Helper()
	l, err := lab.New(t.Context(), lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: m}, lab.Setup{Device: rule.GM})
	if err != nil {
		t.Fatal(err)
	}
	return l, l.GM[0].Start(t.Context())
}

// What a device writes is read while it runs, and what is to be kept is kept.
func TestWhatADeviceWritesIsKept(t *testing.T) {
	needEngine(t)
	l, err := startMember(t, described(t, "writes", `      ready: {file: /gdoilab/log}
      collect: [/core, /not/there]
      files: [{path: /etc/device.conf, content: "of {{ .Address }}"}]
    syslog: {from: file, file: "{{ .Dir }}/log", events: {REGISTERED: "said (?P<what>[A-Z]+) here"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	gm := l.GM[0]
	gm.AwaitLog(t.Context(), "REGISTERED", 0, lab.Patience) // the log is there, and so the device ready, before anything is in it
	if lines := gm.Logged("REGISTERED"); len(lines) != 1 || lines[0].Fields["what"] != "REGISTERED" {
		t.Errorf("%+v", lines)
	}
	if err := gm.Stop(); err != nil {
		t.Error(err)
	}
	if lines := gm.Logged("REGISTERED"); len(lines) != 1 {
		t.Errorf("once it has stopped: %+v", lines)
	}
	shown, err := gm.Show()
	got := make(map[string]string)
	for _, f := range shown.Config {
		got[f.Path] = string(f.Content)
	}
	for name, want := range map[string]string{"etc/device.conf": "of 192.0.2.21:848", "collected/core": "the core", "collected/stdout": "up on wan0\n"} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// A device that is dead, does not heed its signal or has no image is an error that says so.
func TestDevicesThatFail(t *testing.T) {
	e := needEngine(t)
	for _, c := range []struct{ what, ready, starting, closing string }{
		{"ends", "^ready", "gm1 did not come up: no licence; up on wan0", ""},
		{"ignores", "^up", "", "gm1 did not stop within 300ms of signal 15"},
	} {
		t.Run(c.what, func(t *testing.T) {
			l, err := startMember(t, described(t, c.what, "      ready: {line: "+c.ready+"}\n"))
			says(t, err, c.starting)
			says(t, l.Close(), c.closing)
		})
	}
	t.Run("has no image", func(t *testing.T) {
		m, err := peer.Parse("m.yaml", []byte("name: x\nfeatures: ['*']\nroles:\n  GM:\n    container: {image: 'nobody/nothing:1', ready: {line: x}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		const want = "m.yaml:5:16: there is no image nobody/nothing:1 on this machine, and none is fetched"
		says(t, lab.Namespaces{}.Check(m), want)
		l, err := startMember(t, m)
		says(t, err, want)
		says(t, l.Close(), "")
	})
	if left := of(t, e, own(os.Getpid())); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%v; want %q", err, want)
	}
}

// What a killed run leaves behind, the next one removes; what belongs to one that lives stays.
func TestTheNextRunRemovesWhatAKilledOneLeft(t *testing.T) {
	e := needEngine(t)
	l, err := lab.New(t.Context(), lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: both()}, lab.Setup{Device: rule.Both})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said string
	if _, err := fmt.Fscanln(out, &said); err != nil || said != "<nil>" {
		t.Errorf("the victim: %s, %v", said, err)
	}
	before := of(t, e, own(cmd.Process.Pid))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if len(before) != 4 {
		t.Errorf("the victim had %v", before)
	}
	if _, err := lab.Reap(); err != nil {
		t.Error(err)
	}
	if after := of(t, e, own(cmd.Process.Pid)); len(after) != 0 {
		t.Errorf("left behind: %v", after)
	}
	if mine := of(t, e, own(os.Getpid())); len(mine) != 2 {
		t.Errorf("of the living there are %v", mine)
	}
}

// A folder with a Dockerfile becomes an image once.
func TestContextsAreBuiltOnce(t *testing.T) {
	e := needEngine(t)
	folder := filepath.Join(t.TempDir(), "Some Device")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	v := &peer.Vessel{At: "m.yaml:1:1", Context: folder}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("Dockerfile", "FROM scratch\nCOPY words /\n")
	_, err := e.image(t.Context(), v)
	says(t, err, "words")
	seen := make(map[string]bool)
	for i := range imagesKept + 2 {
		write("words", fmt.Sprint(i))
		for range 2 {
			name, err := e.image(t.Context(), v)
			if err != nil || !strings.HasPrefix(name, "gdoilab/some-device:") {
				t.Fatalf("%s, %v", name, err)
			}
			seen[name] = true
		}
	}
	last, err := e.image(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.provider.Client().ImageRemove(t.Context(), last, client.ImageRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if again, err := e.image(t.Context(), v); err != nil || again != last || !e.has(t.Context(), last) {
		t.Errorf("what somebody has removed is %s, %v", again, err)
	}
	found, err := e.provider.Client().ImageList(t.Context(), client.ImageListOptions{Filters: make(client.Filters).Add("label", imageLabel+"=gdoilab/some-device")})
	if err != nil || len(seen) != imagesKept+2 || len(found.Items) != imagesKept {
		t.Errorf("%d images were made and %d are left, %v", len(seen), len(found.Items), err)
	}
	for _, i := range found.Items {
		if _, err := e.provider.Client().ImageRemove(t.Context(), i.ID, client.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// An image of somebody else's runs what it runs by itself, unless the manifest says otherwise.
func TestImagesRunWhatTheyRun(t *testing.T) {
	e := needEngine(t)
	folder := filepath.Join(t.TempDir(), "theirs")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	dockerfile := "FROM scratch\nCOPY theirs.test /usr/bin/theirs\nENV " + deviceEnv + "=writes\nWORKDIR /var/theirs\nENTRYPOINT [\"/usr/bin/theirs\", \"all fronts\"]\n"
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(dockerfile), 0o644),
		os.WriteFile(filepath.Join(folder, "theirs.test"), program(t, "/proc/self/exe"), 0o755)); err != nil {
		t.Fatal(err)
	}
	image, err := e.image(t.Context(), &peer.Vessel{Context: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := e.provider.Client().ImageRemove(context.Background(), image, client.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct{ container, want string }{
		{"context: " + folder, "^up on all fronts$"},
		{"image: " + image, "^up on all fronts$"},
		{"image: " + image + "\n      command: [/usr/bin/theirs, another]", "^up on another$"},
	} {
		m, err := peer.Parse("m.yaml", []byte("name: x\nfeatures: ['*']\nroles:\n  GM:\n    container:\n      stop: {signal: KILL}\n      ready: {line: "+c.want+"}\n"+
			"      files: [{path: /gdoilab/any, content: x}]\n      "+c.container+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := startMember(t, m)
		says(t, errors.Join(err, l.Close()), "")
	}
}

// The same files make the same octets, and a program that needs what the image has not is refused before it is put there.
func TestArchives(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := newRecipe(&peer.Vessel{Build: []peer.Copy{{Path: "/Etc/A File", From: name, Mode: 0o600}}})
	if err != nil || r.repository != "gdoilab/a-file" {
		t.Fatalf("%+v, %v", r, err)
	}
	first, err := r.archive()
	second, err2 := r.archive()
	if err != nil || err2 != nil || string(first) != string(second) || !strings.Contains(string(first), "root/Etc/A File") {
		t.Errorf("%q, %v, %v", first, err, err2)
	}
	if err := static("/bin/true", program(t, "/bin/true")); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("%v", err)
	}
	if _, err := newRecipe(&peer.Vessel{At: "m.yaml:1:2", Build: []peer.Copy{{Path: "/x", From: dir + "/none"}}}); err == nil || !strings.HasPrefix(err.Error(), "m.yaml:1:2: ") {
		t.Errorf("%v", err)
	}
}

func program(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	return content
}

// A key server, four members and a host behind each are there, and gone again.
func BenchmarkKeyServerAndFourMembers(b *testing.B) {
	needEngine(b)
	ctx := context.Background()
	for b.Loop() {
		l, err := lab.New(ctx, lab.Env{Fabric: lab.Namespaces{}, Seed: "1", Device: both()}, lab.Setup{Device: rule.Both, Members: 4, Hosts: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(l.Up(ctx), l.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
