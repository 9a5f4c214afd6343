package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// holdEnv names the variable by which a program that calls HoldIfAsked is started to keep a namespace.
const holdEnv = "GDOILAB_HOLD"

// HoldIfAsked waits until the process is killed, if that is what it was started for. A program calls it before anything
// else.
func HoldIfAsked() {
	for os.Getenv(holdEnv) != "" {
		_ = syscall.Pause()
	}
}

// keeper is a container that keeps a network namespace.
type keeper struct {
	engine *engine
	id     string
	pid    int
}

// Hold starts this program once more, in a container of its own.
func (e *engine) Hold(ctx context.Context, b lab.Berth) (lab.Keeper, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	image, err := e.image(ctx, &peer.Vessel{Build: []peer.Copy{{Path: "/hold", From: program, Mode: 0o755}}})
	if err != nil {
		return nil, err
	}
	created, err := e.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Image: image, Name: b.Name, Labels: labels(b), Entrypoint: []string{"/hold"},
		Env: map[string]string{holdEnv: "1", lab.OwnerEnv: b.Owner},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode, h.ReadonlyRootfs = noNetwork, true
		},
	})
	if err != nil {
		return nil, e.discard(created, err)
	}
	if err := created.Start(ctx); err != nil {
		return nil, e.discard(created, err)
	}
	k := &keeper{engine: e, id: created.GetContainerID()}
	if k.pid, err = e.firstProcess(ctx, k.id); err == nil {
		err = isHere(k.pid, k.id)
	}
	if err != nil {
		return nil, e.discard(created, err)
	}
	return k, nil
}

func (k *keeper) ID() string    { return k.id }
func (k *keeper) PID() int      { return k.pid }
func (k *keeper) Remove() error { return k.engine.remove(k.id) }

// isHere returns an error if that process of this machine is not the container's, as it is with an engine on another machine.
func isHere(pid int, id string) error {
	group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || !strings.Contains(string(group), id) {
		return errors.New("container: what the engine starts is no process of this machine, and the harness has to be beside it")
	}
	return nil
}
