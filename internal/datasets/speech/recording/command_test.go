package recording

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

func TestCommandsThatOnlyDecodeAreTheirFile(t *testing.T) {
	for text, want := range map[string]command{
		"flac -c -d -s x.flac":                                     {file: "x.flac"},
		"flac -dcs 'a b.flac'":                                     {file: "a b.flac"},
		"/opt/bin/flac --decode --stdout --silent ./x":             {file: "./x"},
		"sph2pipe -f wav x.sph":                                    {file: "x.sph"},
		"/k/tools/sph2pipe_v2.5/sph2pipe -f wav -p -c 2 x":         {file: "x", channel: 2},
		"$KALDI_ROOT/tools/sph2pipe_v2.5/sph2pipe -f wav -p x.sph": {file: "x.sph"},
		"${sph2pipe_dir}/sph2pipe -f wav -c 1 x.sph":               {file: "x.sph", channel: 1},
		"wav-copy x.wav -":                                         {file: "x.wav"},
		"cat x.wav":                                                {file: "x.wav"},
		"gunzip -c x.wav.gz":                                       {file: "x.wav.gz"},
		"gzip -dc x.wav.gz":                                        {file: "x.wav.gz"},
		"zcat x.wav.gz":                                            {file: "x.wav.gz"},
		"cat caf\xe9.wav":                                          {file: "caf\xe9.wav"},
		"sox x.flac -t wav -":                                      {file: "x.flac"},
		"sox -V1 -t sph \"x 1.sph\" -t wav - 2>/dev/null":          {file: "x 1.sph"},
		"sox x.wav -r 16k -c 1 -b 16 -e signed-integer -t wav -":   {file: "x.wav", rate: 16000, channels: 1, bits: 16},
		"sox x.wav -t wav -e signed - remix 2":                     {file: "x.wav", channel: 2, bits: 32},
		"sox x.wav -t wav - rate 8000 channels 1":                  {file: "x.wav", rate: 8000, channels: 1},
		"ffmpeg -nostdin -v error -i x.flac -f wav -":              {file: "x.flac", bits: 16},
		"ffmpeg -loglevel panic -i x.flac -ac 1 -ar 16000 -acodec pcm_s24le -f wav pipe:1": {file: "x.flac", rate: 16000, channels: 1, bits: 24},
	} {
		if got, ok := parseCommand(text); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, ok, want)
		}
	}
}

// TestCommandsThatMayDoMoreAreNot: what writes, changes samples, names other commands or is
// replaced by a shell.
func TestCommandsThatMayDoMoreAreNot(t *testing.T) {
	for _, text := range []string{
		"", "flac", "flac -c x.flac", "flac -d x.flac", "flac -dcs a b", "flac -dc --skip=10 x", "flac -dc -o y x", "flac -dc -", "flac -dcF x", "flac -dc $HOME/x", "flac -dc x; rm y", "flac -dc `ls`",
		"flac -dc *.flac", "flac -dc ~/x", "flac -dc \"$x\"", "flac -dc 'x", "flac -dc x > y", "flac -dc x 2>&1", "flac -dc x | sox - -t wav -", "A=1 flac -dc x", "sh -c 'flac -dc x'", "\\flac -dc x",
		"sph2pipe -f raw x", "sph2pipe -f wav -c 3 x", "sph2pipe -f wav -t 1:2 x", "sph2pipe -f wav -u x", "sph2pipe -f wav x y", "sph2pipe -f",
		"$sph2pipe -f wav x", "$A/$B/sph2pipe -f wav x", "$(ls)/flac -dc x", "$A/flac -dc $B", "$A/sh -c x", "wav-copy x.wav y.wav", "wav-copy scp:x ark:-", "wav-copy --a=1 x -", "wav-copy scp:x -",
		"cat a b", "cat -n a", "cat", "cat -", "gzip -c x", "gunzip x.gz", "gunzip -c a b", "zcat -f a",
		"sox x.wav y.wav", "sox x.wav -", "sox x.wav -t raw -", "sox -v 0.5 x.wav -t wav -", "sox -r 8000 x.wav -t wav -", "sox x.wav -t wav - speed 1.1", "sox x.wav -t wav - vol 2", "sox x.wav -t wav - remix 1 2",
		"sox x.wav -t wav - remix 1,2", "sox x.wav -t wav - trim 0 1", "sox a b -t wav -", "sox -m a b -t wav -", "sox x.wav -t wav - rate", "sox x.wav -t wav -e float -", "sox x.wav -t", "sox x.wav -r -5 -t wav -",
		"sox x.wav -r 1.5 -t wav -", "sox x.mp3 -t mp3 -", "sox - -t wav -",
		"ffmpeg -i x -f s16le -", "ffmpeg -i x -f wav y.wav", "ffmpeg -ss 1 -i x -f wav -", "ffmpeg -i x -af volume=2 -f wav -", "ffmpeg -i x -i y -f wav -", "ffmpeg -f wav -i x -", "ffmpeg -ar 8000 -i x -f wav -",
		"ffmpeg -i x -acodec pcm_mulaw -f wav -", "wget -O - http://x",
	} {
		if got, ok := parseCommand(text); ok {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

// write makes a WAV of two channels, 16 bits and 8000 samples a second: 1, 3, 5 … and 2, 4, 6 ….
func write(t *testing.T, path string, samples int) {
	t.Helper()
	le := binary.LittleEndian
	b := append(le.AppendUint32([]byte("RIFF"), uint32(36+4*samples)), "WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"...)
	b = append(le.AppendUint32(le.AppendUint32(b, 8000), 32000), "\x04\x00\x10\x00data"...)
	b = le.AppendUint32(b, uint32(4*samples))
	for i := range 2 * samples {
		b = le.AppendUint16(b, uint16(i+1))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAScriptOfCommandsIsReadFromTheirFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a b.wav"), 16)
	scp, segments := filepath.Join(dir, "wav.scp"), filepath.Join(dir, "segments")
	put := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(scp, "left sph2pipe -f wav -p -c 1 'a b.wav' |\nright sox 'a b.wav' -r 8k -b 16 -t wav - remix 2 |\nboth cat 'a b.wav' |\n")
	put(segments, "u1 left 0 -1\nu2 right 0.001 -1\nu3 both 0 0.001 B\nu4 both 0 0.001 0\nu5 left 0 0.01 0\nu6 left 0 1 1\n")
	all, err := Find([]string{scp}, segments)
	if err != nil || len(all) != 6 {
		t.Fatalf("%v, %v", all, err)
	}
	for i, want := range []struct {
		first  float32
		n      int64
		beyond bool
	}{{1, 16, false}, {18, 8, false}, {2, 8, false}, {1, 8, false}, {1, 16, true}} {
		r := all[i]
		s, err := r.Open()
		if err != nil {
			t.Fatal(err)
		}
		var first float32
		n, err := s.Each(-1, r.Start, r.End, func(samples []float32) error { first = samples[0]; return nil })
		if err != nil || n != want.n || first != want.first || s.Beyond > 0 != want.beyond || !r.Chosen() {
			t.Errorf("%s: %d samples from %v, %v, %g s beyond, want %+v", r.Key, n, first, err, s.Beyond, want)
		}
		s.Close()
	}
	if _, err := all[5].Open(); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "no channel 1") {
		t.Errorf("the second channel of one: %v", err)
	}
	for line, says := range map[string]string{
		"sox 'a b.wav' -r 16000 -t wav - |":     "resample 8000 samples a second to 16000",
		"sox 'a b.wav' -c 1 -t wav - |":         "mix 2 channels to 1",
		"sox 'a b.wav' -b 8 -t wav - |":         "round pcm16 to 8 bits",
		"sph2pipe -f wav -c 2 nowhere.sph |":    "there is no file nowhere.sph",
		"sox 'a b.wav' -t wav - reverse |":      "commands in data are never run",
		"sox 'a b.wav' -t wav - remix 3 |":      "no channel 2",
		"flac -dc 'a b.wav' | sox - -t wav - |": "commands in data are never run",
		"cat 'a b.wav' | sort |\nk cut x |":     "and so are 1 more of the 2 lines",
	} {
		put(scp, "x "+line+"\n")
		all, err := Find([]string{scp}, "")
		if err == nil {
			_, err = all[0].Open()
		}
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), dir) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// FuzzCommand: whatever the text, a command is taken with one file that stands in it, or not at
// all, and no word that a shell would replace.
func FuzzCommand(f *testing.F) {
	for _, text := range []string{"flac -c -d -s x.flac", "sph2pipe -f wav -p -c 1 'x y.sph'", "sox -t wav x -r 16k -t wav - remix 1", "ffmpeg -i x -ar 8000 -f wav -", "cat \"x\" 2>/dev/null", "gunzip -c x.gz"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseCommand(text)
		if !ok {
			return
		}
		plain := strings.NewReplacer("'", "", `"`, "").Replace(text)
		if c.file == "" || c.file == "-" || c.channel < 0 || c.rate < 0 || c.bits < 0 || c.channels < 0 || !strings.Contains(plain, strings.NewReplacer("'", "", `"`, "").Replace(c.file)) ||
			strings.ContainsAny(strings.TrimSuffix(strings.TrimSpace(text), "2>/dev/null"), "`;") && !strings.ContainsAny(text, `'"`) {
			t.Fatalf("%q is taken as %+v", text, c)
		}
	})
}
