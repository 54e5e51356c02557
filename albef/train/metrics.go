package train

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Metrics records what a run measures, in its output folder: metrics.jsonl
// with a line a step, log.txt with a line an epoch, and an event file for
// TensorBoard. Each call has written its lines when it returns. The zero
// Metrics is not usable; one goroutine at a time.
type Metrics struct {
	steps, epochs, events *os.File
	clock                 func() time.Time
	// What the steps of the current epoch sum up to, for their means.
	epoch int
	sums  map[string]float64
	count map[string]int
}

// OpenMetrics opens the records in the folder dir, which must exist. resumed
// is the number of the last step that the run has behind it, 0 for a new run.
// Lines of metrics.jsonl about later steps are dropped, and so is a last line
// that was cut off; log.txt keeps all it has, as in the official code. The
// means of an epoch that was interrupted take its earlier steps in.
func OpenMetrics(dir string, resumed int) (*Metrics, error) {
	m := &Metrics{clock: time.Now}
	m.newEpoch(0)
	if err := m.open(dir, resumed); err != nil {
		return nil, fmt.Errorf("open metrics: %w", errors.Join(err, m.Close()))
	}
	return m, nil
}

func (m *Metrics) open(dir string, resumed int) (err error) {
	if m.steps, err = os.OpenFile(filepath.Join(dir, "metrics.jsonl"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if err = m.dropAfter(resumed); err != nil {
		return err
	}
	if m.epochs, err = os.OpenFile(filepath.Join(dir, "log.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return err
	}
	now := m.clock()
	if m.events, err = createEvents(dir, now); err != nil {
		return err
	}
	if err = m.addEvent(versionEvent(now)); err != nil || resumed == 0 {
		return err
	}
	return m.addEvent(restartEvent(now, resumed+1))
}

// createEvents makes a file under the name that TensorBoard looks for. Files
// of one folder are read in the order of their names.
func createEvents(dir string, now time.Time) (*os.File, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	name := fmt.Sprintf("events.out.tfevents.%d.%09d.%s", now.Unix(), now.Nanosecond(), host)
	return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// dropAfter cuts metrics.jsonl behind the last line about a step up to
// resumed, and sums up the lines that stay.
func (m *Metrics) dropAfter(resumed int) error {
	lines := bufio.NewReader(m.steps)
	keep := int64(0)
	for n := 1; resumed > 0; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // the rest is a line cut off
			break
		} else if err != nil {
			return err
		}
		var values map[string]any
		if err := json.Unmarshal(line, &values); err != nil {
			return fmt.Errorf("%s:%d: %w", m.steps.Name(), n, err)
		}
		step, ok := values["step"].(float64)
		if !ok {
			return fmt.Errorf("%s:%d: the line has no step", m.steps.Name(), n)
		}
		if int(step) > resumed {
			break
		}
		m.sumLine(values)
		keep += int64(len(line))
	}
	if err := m.steps.Truncate(keep); err != nil {
		return err
	}
	_, err := m.steps.Seek(keep, io.SeekStart)
	return err
}

// sumLine takes a line of an earlier run into the means.
func (m *Metrics) sumLine(values map[string]any) {
	epoch, _ := values["epoch"].(float64)
	measured := map[string]float64{}
	for name, value := range values {
		switch v := value.(type) {
		case float64:
			measured[name] = v
		case string:
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				measured[name] = f
			}
		}
	}
	for _, own := range []string{"step", "epoch", "time"} {
		delete(measured, own)
	}
	m.sum(int(epoch), measured)
}

func (m *Metrics) newEpoch(epoch int) {
	m.epoch, m.sums, m.count = epoch, map[string]float64{}, map[string]int{}
}

func (m *Metrics) sum(epoch int, values map[string]float64) {
	if epoch != m.epoch {
		m.newEpoch(epoch)
	}
	for name, v := range values {
		m.sums[name] += v
		m.count[name]++
	}
}

// Step records the values of a step, counted from 1, in the given epoch. Their
// names are the official ones without prefix: lr, loss_mlm, loss_ita, loss_itm
// or loss. The line holds step, epoch, time in seconds since 1970, and the
// values by name; one that JSON has no number for is the text "NaN", "+Inf" or
// "-Inf".
func (m *Metrics) Step(step, epoch int, values map[string]float64) error {
	now := m.clock()
	line := slices.Concat(fields{{"step", step}, {"epoch", epoch}, {"time", seconds(now)}}, sorted("", values))
	if err := writeLine(m.steps, line); err != nil {
		return fmt.Errorf("record step %d: %w", step, err)
	}
	if err := m.addEvent(scalarEvent(now, step, "train/", values)); err != nil {
		return fmt.Errorf("record step %d: %w", step, err)
	}
	m.sum(epoch, values)
	return nil
}

// Means returns the mean of each value that the steps of an epoch had, as long as
// no later epoch has begun.
func (m *Metrics) Means(epoch int) map[string]float64 {
	means := map[string]float64{}
	for name, sum := range m.sums {
		if m.epoch == epoch {
			means[name] = sum / float64(m.count[name])
		}
	}
	return means
}

// Epoch records the end of an epoch in log.txt: the mean of each value that
// its steps had, under its name after "train_", then the results, such as
// val_acc, under their own names, then the epoch. Unlike the official log, which
// has texts of three decimals, the values are numbers, spelled as by Step.
func (m *Metrics) Epoch(epoch int, results map[string]float64) error {
	means := m.Means(epoch)
	line := append(sorted("train_", means), sorted("", results)...)
	if err := writeLine(m.epochs, append(line, field{"epoch", epoch})); err != nil {
		return fmt.Errorf("record epoch %d: %w", epoch, err)
	}
	now := m.clock()
	err := m.addEvent(scalarEvent(now, epoch, "epoch/train_", means))
	if len(results) > 0 {
		err = errors.Join(err, m.addEvent(scalarEvent(now, epoch, "epoch/", results)))
	}
	if err != nil {
		return fmt.Errorf("record epoch %d: %w", epoch, err)
	}
	m.newEpoch(epoch + 1)
	return nil
}

// LogEvaluation adds a line with the results of a model that wasn't trained here
// to log.txt in the folder dir, as epoch 0, and touches nothing else.
func LogEvaluation(dir string, results map[string]float64) (err error) {
	f, err := os.OpenFile(filepath.Join(dir, "log.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("record results: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := writeLine(f, append(sorted("", results), field{"epoch", 0})); err != nil {
		return fmt.Errorf("record results: %w", err)
	}
	return nil
}

// Close closes the files.
func (m *Metrics) Close() error {
	var errs []error
	for _, f := range []*os.File{m.steps, m.epochs, m.events} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// fields are the members of a JSON object in their order.
type fields []field

type field struct {
	name  string
	value any
}

// sorted returns values by name, with prefix before each.
func sorted(prefix string, values map[string]float64) fields {
	list := make(fields, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, field{prefix + name, jsonNumber(values[name])})
	}
	return list
}

// jsonNumber returns v, or its name where JSON has no number.
func jsonNumber(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return v
}

// writeLine writes a JSON object in one go, so that others never read half of it.
func writeLine(f *os.File, list fields) error {
	var b bytes.Buffer
	for i, x := range list {
		b.WriteByte("{,"[min(i, 1)])
		for j, part := range []any{x.name, x.value} {
			data, err := json.Marshal(part)
			if err != nil {
				return err
			}
			b.Write(data)
			if j == 0 {
				b.WriteByte(':')
			}
		}
	}
	b.WriteString("}\n")
	_, err := f.Write(b.Bytes())
	return err
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// addEvent writes a record of TensorFlow's format: the length, a checksum of
// it, the event, a checksum of it.
func (m *Metrics) addEvent(event []byte) error {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	record = binary.LittleEndian.AppendUint32(record, maskedSum(record))
	record = append(record, event...)
	record = binary.LittleEndian.AppendUint32(record, maskedSum(event))
	_, err := m.events.Write(record)
	return err
}

// maskedSum is the CRC-32C of data, rotated by 15 bits, plus a constant: the
// format's guard against checksums of data that holds checksums.
func maskedSum(data []byte) uint32 {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// The numbers below are those of TensorFlow's event.proto and summary.proto:
// Event{1 double wall_time, 2 int64 step, 3 string file_version, 5 Summary,
// 7 SessionLog}, Summary{1 Value}, Value{1 string tag, 2 float simple_value},
// SessionLog{1 status, of which 1 is START}.

func versionEvent(now time.Time) []byte {
	return appendText(wallTime(now), 3, "brain.Event:2")
}

// restartEvent makes TensorBoard forget what earlier files say about step and
// later ones.
func restartEvent(now time.Time, step int) []byte {
	return appendText(stepped(now, step), 7, string([]byte{1 << 3, 1}))
}

// scalarEvent holds one value for each name, in the names' order.
func scalarEvent(now time.Time, step int, prefix string, values map[string]float64) []byte {
	var summary []byte
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := appendText(nil, 1, prefix+name)
		value = append(value, 2<<3|5)
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(values[name])))
		summary = appendText(summary, 1, string(value))
	}
	return appendText(stepped(now, step), 5, string(summary))
}

func wallTime(now time.Time) []byte {
	return binary.LittleEndian.AppendUint64([]byte{1<<3 | 1}, math.Float64bits(seconds(now)))
}

func stepped(now time.Time, step int) []byte {
	return binary.AppendUvarint(append(wallTime(now), 2<<3), uint64(step))
}

// appendText appends a field of protobuf's length-delimited kind.
func appendText(b []byte, number int, s string) []byte {
	b = append(b, byte(number<<3|2))
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
