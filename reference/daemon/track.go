package daemon

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// hookLimit is how long a hook may run before it is killed.
const hookLimit = 10 * time.Second

// tracker runs the hooks of tracked objects, one at a time and in a process of their own, so that nothing of the node waits for them.
// States that follow each other quicker than their hooks run are told as the last of them.
type tracker struct {
	hooks map[uint32][]string // by group
	limit time.Duration
	wake  chan struct{}

	mu      sync.Mutex
	changed map[uint32]core.Track // not told yet
}

// withTracker adds the hooks of a member, if it has any, to what runs beside the node.
func (o *options) withTracker(cfg *node.Config, m policy.Member) {
	t := &tracker{hooks: make(map[uint32][]string), limit: hookLimit, wake: make(chan struct{}, 1), changed: make(map[uint32]core.Track)}
	for _, in := range m.Memberships() {
		if in.Track != nil && len(in.Track.Hook) > 0 {
			t.hooks[in.Group] = in.Track.Hook
		}
	}
	if len(t.hooks) > 0 {
		cfg.Track = t.hear
		o.beside = append(o.beside, t)
	}
}

func (t *tracker) hear(s *core.Track) {
	t.mu.Lock()
	t.changed[s.Group] = *s
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// next takes a state that was not told yet, that of the group with the lowest number.
func (t *tracker) next() (s core.Track, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, group := range slices.Sorted(maps.Keys(t.changed)) {
		s = t.changed[group]
		delete(t.changed, group)
		return s, true
	}
	return s, false
}

// start begins to run hooks. At the end every object that was UP goes DOWN: whose gateway has ended has no key any more.
func (t *tracker) start(n *node.Node) (io.Closer, error) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t.run(n, end)
	}()
	return closer(func() error {
		close(end)
		<-done
		return nil
	}), nil
}

func (t *tracker) run(n *node.Node, end <-chan struct{}) {
	told := make(map[uint32]core.Track)
	for {
		select {
		case <-end:
			for _, group := range slices.Sorted(maps.Keys(told)) {
				if s := told[group]; s.Up {
					s.Up = false
					t.call(n, s)
				}
			}
			return
		case <-t.wake:
			for s, ok := t.next(); ok; s, ok = t.next() {
				t.call(n, s)
				told[s.Group] = s
			}
		}
	}
}

// call runs the hook of a state, and logs what comes of it if that is not well.
func (t *tracker) call(n *node.Node, s core.Track) {
	if err := t.hook(s); err != nil {
		n.Note(&core.Log{Severity: core.Error, Tag: "TRACK_HOOK_FAILED", Text: err.Error(),
			Fields: []core.Field{{Name: "track", Value: strconv.Itoa(s.Number)}, {Name: "state", Value: stateOf(s)}}})
	}
}

// hook runs the hook of a state and waits for it. What it finds in its environment says which state that is. At the limit it is killed
// with all that it has started.
func (t *tracker) hook(s core.Track) error {
	command, ok := t.hooks[s.Group]
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "GDOI_TRACK="+strconv.Itoa(s.Number), "GDOI_STATE="+stateOf(s), "GDOI_GROUP="+strconv.FormatUint(uint64(s.Group), 10))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

func stateOf(s core.Track) string {
	if s.Up {
		return "up"
	}
	return "down"
}
