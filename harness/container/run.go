package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// running is a device in a container.
type running struct {
	testcontainers.Container
	engine *engine
	pid    int
	ended  chan struct{}
}

// Run creates a container with the device's files in it, listens to what it prints, and starts it.
func (e *engine) Run(ctx context.Context, b lab.Berth, l *peer.Launch, out, errOut io.Writer) (lab.Container, error) {
	image, err := e.image(ctx, l.Vessel)
	if err != nil {
		return nil, err
	}
	created, err := e.provider.CreateContainer(ctx, request(image, b, l))
	if err != nil {
		return nil, e.discard(created, err)
	}
	r := &running{Container: created, engine: e, ended: make(chan struct{})}
	if err := r.start(ctx, out, errOut); err != nil {
		return nil, e.discard(created, err)
	}
	return r, nil
}

// request says what the container is like.
func request(image string, b lab.Berth, l *peer.Launch) testcontainers.ContainerRequest {
	r := testcontainers.ContainerRequest{
		Image: image, Name: b.Name, Labels: labels(b), Env: map[string]string{lab.OwnerEnv: b.Owner},
		ConfigModifier: func(c *container.Config) { c.WorkingDir = l.Directory },
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode("container:" + b.Network.ID())
			h.CapAdd = l.Vessel.Capabilities
			for _, d := range l.Vessel.Devices {
				h.Devices = append(h.Devices, container.DeviceMapping{PathOnHost: d, PathInContainer: d, CgroupPermissions: "rwm"})
			}
			if len(l.Vessel.Writable) > 0 {
				h.ReadonlyPaths = slices.DeleteFunc(slices.Clone(peer.ReadOnly), func(p string) bool { return slices.Contains(l.Vessel.Writable, p) })
			}
		},
	}
	if len(l.Command) > 0 { // otherwise the image's own
		r.Entrypoint = l.Command
	}
	for _, setting := range l.Environment {
		name, value, _ := strings.Cut(setting, "=")
		r.Env[name] = value
	}
	for _, f := range l.Files {
		r.Files = append(r.Files, testcontainers.ContainerFile{Reader: bytes.NewReader(f.Content), ContainerFilePath: f.Path, FileMode: int64(f.Mode)})
	}
	return r
}

// start listens first, so that nothing of what the device prints is lost, and is told of its end even if that comes at once.
func (r *running) start(ctx context.Context, out, errOut io.Writer) error {
	api, id := r.engine.provider.Client(), r.GetContainerID()
	printed, err := api.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("what it prints: %w", err)
	}
	until, stop := context.WithCancel(context.Background())
	exit := api.ContainerWait(until, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	go func() {
		defer close(r.ended)
		defer stop()
		defer printed.Close()
		_, _ = stdcopy.StdCopy(out, errOut, printed.Reader) // ends with the device
		select {
		case <-exit.Result:
		case <-exit.Error:
		}
	}()
	if err = r.Start(ctx); err == nil {
		r.pid, err = r.engine.firstProcess(ctx, id)
	}
	if err != nil {
		stop()
		printed.Close()
	}
	return err
}

func (r *running) PID() int               { return r.pid }
func (r *running) Ended() <-chan struct{} { return r.ended }

func (r *running) Signal(s syscall.Signal) {
	ctx, cancel := brief()
	defer cancel()
	// An error says that it has ended, which Ended tells too.
	_, _ = r.engine.provider.Client().ContainerKill(ctx, r.GetContainerID(), client.ContainerKillOptions{Signal: strconv.Itoa(int(s))})
}

// File copies a file out of the container. Its error is fs.ErrNotExist if there is none.
func (r *running) File(path string) ([]byte, error) {
	ctx, cancel := brief()
	defer cancel()
	file, err := r.CopyFileFromContainer(ctx, path)
	if errdefs.IsNotFound(err) {
		return nil, &fs.PathError{Op: "copy", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func (r *running) Remove() error {
	err := r.engine.remove(r.GetContainerID())
	if err == nil {
		<-r.ended
	}
	return err
}

// firstProcess is the number of a container's first process on this machine, 0 if that has ended.
func (e *engine) firstProcess(ctx context.Context, id string) (int, error) {
	found, err := e.provider.Client().ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return 0, err
	}
	return found.Container.State.Pid, nil
}

// discard removes a container that did not start, and returns the error with what came of that.
func (e *engine) discard(c testcontainers.Container, err error) error {
	if created, ok := c.(*testcontainers.DockerContainer); !ok || created == nil {
		return fmt.Errorf("container: %w", err)
	}
	return errors.Join(fmt.Errorf("container: %w", err), e.remove(c.GetContainerID()))
}

// remove ends a container and removes it with its volumes. One that is gone already, or that somebody else removes, is no error.
func (e *engine) remove(id string) error {
	ctx, cancel := brief()
	defer cancel()
	_, err := e.provider.Client().ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("container: removing %s: %w", id, err)
}
