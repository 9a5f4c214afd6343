package container

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
)

func init() { lab.RegisterEngine(&engine{}) }

// engine is the container engine of this machine, found by whoever needs it first.
type engine struct {
	once     sync.Once
	provider *testcontainers.DockerProvider
	err      error

	building sync.Mutex
	images   map[string]string // names, by what they are made of; guarded by building
}

var _ lab.Engine = (*engine)(nil)

// patience bounds what the engine is asked for when nobody else does.
const patience = time.Minute

// noNetwork is the network of a container that has none. It stands in for the library's default network, which it would
// make otherwise.
const noNetwork = "none"

// answerWithin bounds the search for an engine, which may be named where nobody is.
const answerWithin = 5 * time.Second

// connect finds the engine.
func (e *engine) connect() (*testcontainers.DockerProvider, error) {
	e.once.Do(func() {
		found := make(chan error, 1)
		var provider *testcontainers.DockerProvider
		go func() {
			var err error
			provider, err = find()
			found <- err
		}()
		select {
		case e.err = <-found:
			e.provider = provider
		case <-time.After(answerWithin):
			e.err = fmt.Errorf("nobody within %s", answerWithin)
		}
		if e.err != nil {
			e.err = fmt.Errorf("no container engine answers: %s", strings.ReplaceAll(e.err.Error(), "\n", "; "))
		}
	})
	return e.provider, e.err
}

// find asks the engine that the environment names, or that is in the usual place.
func find() (*testcontainers.DockerProvider, error) {
	log.SetDefault(log.NewNoopLogger())
	// The library's reaper is an image that would have to be fetched; ours are labels.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	p, err := testcontainers.NewDockerProvider(testcontainers.WithDefaultBridgeNetwork(noNetwork), testcontainers.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return nil, err
	}
	ctx, cancel := brief()
	defer cancel()
	return p, p.Health(ctx)
}

// Usable reports whether an engine answers.
func (e *engine) Usable() error {
	_, err := e.connect()
	return err
}

// Ready makes the image of a device, or looks whether it is there.
func (e *engine) Ready(ctx context.Context, l *peer.Launch) error {
	_, err := e.image(ctx, l.Vessel)
	return err
}

// brief is a context for what is done in any case.
func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
