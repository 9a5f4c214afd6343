package container

import (
	"errors"
	"strings"

	"github.com/moby/moby/client"

	"github.com/gdoilab/gdoilab/harness/lab"
)

// ownerLabel has the mark of a container's owner.
const ownerLabel = "gdoilab.owner"

func labels(b lab.Berth) map[string]string { return map[string]string{ownerLabel: b.Owner} }

// Reap removes the containers of owners that are gone. Without an engine there are none.
func (e *engine) Reap(gone func(mark string) bool) ([]string, error) {
	if _, err := e.connect(); err != nil {
		return nil, nil
	}
	ctx, cancel := brief()
	defer cancel()
	found, err := e.provider.Client().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", ownerLabel)})
	if err != nil {
		return nil, err
	}
	var removed []string
	var errs []error
	for _, c := range found.Items {
		if gone(c.Labels[ownerLabel]) {
			errs = append(errs, e.remove(c.ID))
			removed = append(removed, strings.TrimPrefix(strings.Join(c.Names, ","), "/"))
		}
	}
	return removed, errors.Join(errs...)
}
