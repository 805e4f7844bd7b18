package train

import (
	"fmt"
	"sort"
	"strings"
)

// A Change is a configuration key that differs between a checkpoint and the run that resumes it.
type Change struct {
	Key      string
	Old, New string // "(absent)" where the key does not exist
	Safety   Safety
}

// String is "train.batch: 128 -> 64".
func (c Change) String() string { return fmt.Sprintf("%s: %s -> %s", c.Key, c.Old, c.New) }

// Safety says whether a resumed run may differ in a key.
type Safety uint8

const (
	// Never means: the checkpoint would mean something else (another model, other data, another
	// cursor).
	Never Safety = iota
	// OnRequest means: the training goes on, but its results are not those of either configuration
	// alone.
	OnRequest
	// Always means: the key does not influence the results.
	Always
)

// safeties names keys, or whole sections by a trailing dot. A key that is not here is Never.
var safeties = map[string]Safety{
	"threads":              Always,
	"data.dir":             Always,
	"distributed.":         Always, // wire, too: it is a matter of the network at hand
	"data.labels":          Always, // a path, as data.dir
	"speech.alignments":    Always, // more of them
	"speech.labels":        Always,
	"speech.val_dir":       Always,
	"speech.test_dir":      Always,
	"data.workers":         Always,
	"eval.batch":           Always,
	"train.checkpoint.":    Always,
	"train.cache_features": Always,
	"train.on_save_error":  Always,
	"train.tensorboard":    Always,

	"train.iterations":                 OnRequest,
	"train.epochs":                     OnRequest,
	"train.schedule.":                  OnRequest,
	"train.optimizer.weight_decay":     OnRequest,
	"train.optimizer.decay_parameters": OnRequest,
	"train.optimizer.nesterov":         OnRequest,
	"train.optimizer.beta1":            OnRequest,
	"train.optimizer.beta2":            OnRequest,
	"train.optimizer.epsilon":          OnRequest,
	"train.clip_norm":                  OnRequest,
	"train.precision":                  OnRequest,
	"train.bn_recompute":               OnRequest,
	"train.early_stopping.":            OnRequest,
	"train.label_smoothing":            OnRequest,
	"train.class_weights":              OnRequest,
	"train.optimizer.trust":            OnRequest,
	"train.on_nonfinite":               OnRequest,
	"eval.every":                       OnRequest,
	"eval.every_epochs":                OnRequest,
}

// safety of a flattened key: the longest entry that names it.
func safety(key string) Safety {
	for k := key; ; {
		if s, ok := safeties[k]; ok {
			return s
		}
		i := strings.LastIndexByte(strings.TrimSuffix(k, "."), '.')
		if i < 0 {
			return Never
		}
		k = k[:i+1]
	}
}

// DiffConfig lists the keys, sorted, in which two configurations differ. They are nested maps as a
// YAML file gives them (or flattened ones); a missing key differs from every value.
func DiffConfig(old, new map[string]any) []Change {
	a, b := map[string]string{}, map[string]string{}
	flatten("", old, a)
	flatten("", new, b)
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	var changes []Change
	for k := range keys {
		x, inA := a[k]
		y, inB := b[k]
		if inA && inB && x == y {
			continue
		}
		c := Change{Key: k, Old: x, New: y, Safety: safety(k)}
		if !inA {
			c.Old = "(absent)"
		}
		if !inB {
			c.New = "(absent)"
		}
		changes = append(changes, c)
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].Key < changes[j].Key })
	return changes
}

// CheckResume refuses to resume a checkpoint with a configuration that differs from the one it was
// made with, and shows the differences. With allow (the flag --allow-config-change) those that keep
// the checkpoint meaningful pass. It returns the changes that it let pass.
func CheckResume(old, new map[string]any, allow bool) ([]Change, error) {
	var passed, refused []Change
	onRequest := true
	for _, c := range DiffConfig(old, new) {
		if c.Safety == Always || c.Safety == OnRequest && allow {
			passed = append(passed, c)
			continue
		}
		refused = append(refused, c)
		onRequest = onRequest && c.Safety == OnRequest
	}
	if len(refused) == 0 {
		return passed, nil
	}
	e := &ConfigChangedError{Refused: refused, CanAllow: onRequest}
	return passed, e
}

// ConfigChangedError says that a checkpoint was made with another configuration.
type ConfigChangedError struct {
	Refused  []Change
	CanAllow bool // --allow-config-change would let all of them pass
}

// Error lists every difference on a line of its own.
func (e *ConfigChangedError) Error() string {
	var b strings.Builder
	b.WriteString("resume: the checkpoint was made with another configuration:")
	for _, c := range e.Refused {
		b.WriteString("\n  " + c.String())
	}
	if e.CanAllow {
		b.WriteString("\ngo back to the old values (in config.yaml, or on the command line), or go on with the new ones: --allow-config-change")
	} else {
		b.WriteString("\ngo back to the old values (in config.yaml, or on the command line), or start a new run in another folder")
	}
	return b.String()
}

func flatten(prefix string, m map[string]any, into map[string]string) {
	for k, v := range m {
		switch v := v.(type) {
		case map[string]any:
			flatten(prefix+k+".", v, into)
		case map[any]any:
			sub := make(map[string]any, len(v))
			for sk, sv := range v {
				sub[fmt.Sprint(sk)] = sv
			}
			flatten(prefix+k+".", sub, into)
		default:
			into[prefix+k] = valueText(v)
		}
	}
}

// valueText makes 1 and 1.0, and nil and an empty list, the same: YAML writes whole floats either
// way.
func valueText(v any) string {
	switch s := fmt.Sprintf("%v", v); s {
	case "<nil>":
		return "[]"
	default:
		return s
	}
}
