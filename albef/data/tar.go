package data

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
)

// inTar stands between a tar file and the name of a member in the path of an
// image: "shard-00.tar::000001.jpg".
const inTar = ".tar::"

// tarFile is an open tar file and where its members lie: shards are read at
// random, as shuffling wants, without being unpacked or read ahead.
type tarFile struct {
	file    *os.File
	members map[string]section
	names   []string
}

type section struct{ offset, size int64 }

// tarFiles are opened once and stay open for the process: a corpus has some
// thousand shards at most, and their pictures come in any order.
var tarFiles struct {
	sync.Mutex
	open map[string]*tarFile
}

func openTar(name string) (*tarFile, error) {
	tarFiles.Lock()
	defer tarFiles.Unlock()
	if t := tarFiles.open[name]; t != nil {
		return t, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	t := &tarFile{file: f, members: map[string]section{}}
	if err := t.index(); err != nil {
		f.Close()
		return nil, fmt.Errorf("read tar %s: %w", name, err)
	}
	if tarFiles.open == nil {
		tarFiles.open = map[string]*tarFile{}
	}
	tarFiles.open[name] = t
	return t, nil
}

// index notes where each regular member lies; only headers are read.
func (t *tarFile) index() error {
	r := tar.NewReader(t.file)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d members: %w", len(t.names), err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		at, err := t.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		t.members[h.Name] = section{at, h.Size}
		t.names = append(t.names, h.Name)
	}
}

// read puts a member's bytes into buf, which grows as needed.
func (t *tarFile) read(member string, buf []byte) ([]byte, error) {
	s, ok := t.members[member]
	if !ok {
		return buf, fmt.Errorf("%s has no member %s: %w", t.file.Name(), member, os.ErrNotExist)
	}
	buf = grow(buf, int(s.size))
	_, err := t.file.ReadAt(buf, s.offset)
	return buf, err
}

// splitTar takes the path of an image in a tar apart.
func splitTar(name string) (file, member string, ok bool) {
	if file, member, ok = strings.Cut(name, inTar); ok {
		file += ".tar"
	}
	return file, member, ok
}

// imageSize is the size in bytes of the image at name, on its own or in a tar.
func imageSize(name string) (int64, error) {
	if file, member, ok := splitTar(name); ok {
		t, err := openTar(file)
		if err != nil {
			return 0, err
		}
		s, ok := t.members[member]
		if !ok {
			return 0, os.ErrNotExist
		}
		return s.size, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a regular file", name)
	}
	return info.Size(), nil
}

// readShard reads pretraining records out of a tar in webdataset's layout:
// members that share a name up to the first dot of its last part are a sample,
// an image beside its caption in .txt, .caption, or under "caption" in .json.
func readShard(ctx context.Context, name string) ([]Pretrain, error) {
	t, err := openTar(name)
	if err != nil {
		return nil, hinted("check the path; the file may be cut off", "read shard: %w", err)
	}
	images, captions := map[string]string{}, map[string]texts{}
	var order []string
	for _, member := range t.names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		key, ext := sampleKey(member)
		switch {
		case isImageName(member):
			if images[key] == "" {
				order = append(order, key)
			}
			images[key] = member
		case ext == "txt" || ext == "caption" || ext == "json":
			c, err := t.caption(member, ext)
			if err != nil {
				return nil, hinted("a sample's .json has {\"caption\": ...}, its .txt the caption alone", "read shard %s: member %s: %w", name, member, err)
			}
			captions[key] = c
		}
	}
	var out []Pretrain
	for _, key := range order {
		c, ok := captions[key]
		if !ok || len(c.list) == 0 {
			return nil, hinted("a sample is an image with a .txt, .caption or .json of the same name", "read shard %s: %s has no caption", name, images[key])
		}
		out = append(out, Pretrain{Image: name + "::" + images[key], Captions: c.list})
	}
	if len(out) == 0 {
		return nil, hinted("a sample is an image with a .txt, .caption or .json of the same name", "read shard %s: no images", name)
	}
	return out, nil
}

func (t *tarFile) caption(member, ext string) (texts, error) {
	content, err := t.read(member, nil)
	if err != nil {
		return texts{}, err
	}
	if ext != "json" {
		return texts{list: []string{strings.TrimSpace(string(content))}, single: true}, nil
	}
	var sample struct {
		Caption *texts `json:"caption"`
	}
	if err := json.Unmarshal(content, &sample); err != nil {
		return texts{}, err
	}
	if sample.Caption == nil {
		return texts{}, &keyError{"caption", "is missing"}
	}
	return *sample.Caption, nil
}

// sampleKey cuts a member's name at the first dot of its last part.
func sampleKey(member string) (key, ext string) {
	dir, base := path.Split(member)
	stem, ext, _ := strings.Cut(base, ".")
	return dir + stem, strings.ToLower(ext)
}
