package recording

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A command is what stands before the bar of a wav.scp, where it does nothing but decode a file.
type command struct {
	file    string
	channel int // the one that it gives, counted from 1; 0 for all
	// What it would change unless the file has it already; 0 for nothing.
	rate, channels, bits int
}

// words are the commands that are known, each with the options that leave samples as they are.
var words = map[string]func(args []string) (command, bool){
	"flac": readFlac, "sph2pipe": readSph2pipe, "sox": readSox, "ffmpeg": readFfmpeg,
	"cat": readCat, "zcat": readCat, "gunzip": readGunzip, "gzip": readGzip, "wav-copy": readWavCopy,
}

// programFolder is a variable in front of a program's path, such as $KALDI_ROOT/. Which program it
// is does not depend on it.
var programFolder = regexp.MustCompile(`^\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})/`)

// parseCommand tells what a command decodes. It reports false for every command that may do more,
// and for words that a shell would replace.
func parseCommand(text string) (command, bool) {
	args, ok := split(programFolder.ReplaceAllString(strings.TrimSpace(text), ""))
	if !ok || len(args) < 2 {
		return command{}, false
	}
	read := words[path.Base(args[0])]
	if read == nil {
		return command{}, false
	}
	c, ok := read(args[1:])
	return c, ok && c.file != "" && c.file != "-"
}

// split divides a command into words as a shell does, with quotes. It reports false where the shell
// would do more than that: variables, other commands, patterns, redirections but that of messages.
func split(text string) (args []string, ok bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), " 2>/dev/null")
	var word strings.Builder
	begun := false
	var quote byte
	for i := range len(text) { // by bytes: a file's name need not be UTF-8
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '"' && strings.IndexByte("$`\\!", c) >= 0, quote == 0 && strings.IndexByte("$`\\!|&;<>()*?[]{}~#\n", c) >= 0:
			return nil, false
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				args = append(args, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		args = append(args, word.String())
	}
	return args, quote == 0
}

// take goes through arguments: option is asked for each that begins with a dash, with those behind
// it, and says how many of them it uses, -1 to refuse it. The others are returned.
func take(args []string, option func(args []string) int) (files []string, ok bool) {
	for i := 0; i < len(args); {
		if a := args[i]; !strings.HasPrefix(a, "-") || a == "-" {
			files = append(files, a)
			i++
			continue
		}
		n := option(args[i:])
		if n < 1 || i+n > len(args) {
			return nil, false
		}
		i += n
	}
	return files, true
}

// letters reports whether an argument is a group of these options of one letter, such as -dcs.
func letters(arg, known string) bool {
	return len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], known) == ""
}

func readFlac(args []string) (command, bool) {
	decode, out := false, false
	files, ok := take(args, func(args []string) int {
		switch a := args[0]; {
		case letters(a, "dcsfw"):
			decode, out = decode || strings.Contains(a, "d"), out || strings.Contains(a, "c")
		case a == "--decode":
			decode = true
		case a == "--stdout":
			out = true
		case a == "--silent", a == "--totally-silent", a == "--force", a == "--warnings-as-errors":
		default:
			return -1
		}
		return 1
	})
	if !ok || !decode || !out || len(files) != 1 {
		return command{}, false
	}
	return command{file: files[0]}, true
}

func readSph2pipe(args []string) (c command, ok bool) {
	files, ok := take(args, func(args []string) int {
		switch a := args[0]; {
		case a == "-p":
			return 1
		case a == "-f" && len(args) > 1 && slices.Contains([]string{"wav", "rif", "sph"}, args[1]):
			return 2
		case a == "-c" && len(args) > 1:
			c.channel, _ = strconv.Atoi(args[1])
			if c.channel != 1 && c.channel != 2 {
				return -1
			}
			return 2
		}
		return -1
	})
	if !ok || len(files) != 1 {
		return command{}, false
	}
	c.file = files[0]
	return c, true
}

func readCat(args []string) (command, bool) {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return command{}, false
	}
	return command{file: args[0]}, true
}

// readWavCopy reads Kaldi's wav-copy IN -.
func readWavCopy(args []string) (command, bool) {
	// Kaldi's other names of inputs have a colon: scp:FILE.
	if len(args) != 2 || strings.HasPrefix(args[0], "-") || strings.Contains(args[0], ":") || args[1] != "-" {
		return command{}, false
	}
	return command{file: args[0]}, true
}

func readGunzip(args []string) (command, bool) {
	out := false
	files, ok := take(args, func(args []string) int {
		if !letters(args[0], "dcq") {
			return -1
		}
		out = out || strings.Contains(args[0], "c")
		return 1
	})
	if !ok || !out || len(files) != 1 {
		return command{}, false
	}
	return command{file: files[0]}, true
}

// readGzip reads gzip -dc: without -d it would compress.
func readGzip(args []string) (command, bool) {
	if !slices.ContainsFunc(args, func(a string) bool { return letters(a, "dcq") && strings.Contains(a, "d") }) {
		return command{}, false
	}
	return readGunzip(args)
}

// readSox reads sox IN -t wav -, with the options that may describe what IN is already: -r, -c, -b,
// -e of the output, and of the effects `remix N`, which gives a channel, `rate` and `channels`.
func readSox(args []string) (c command, ok bool) {
	var files []string
	wav := false
	for len(args) > 0 && len(files) < 2 {
		a, value, used := args[0], "", 2
		if len(args) > 1 {
			value = args[1]
		}
		ok = true
		switch {
		case !strings.HasPrefix(a, "-") || a == "-":
			files, used = append(files, a), 1
		case letters(a, "qDRSG") || strings.HasPrefix(a, "-V") && len(a) <= 3:
			used = 1
		case a == "-t" && len(files) == 0:
			ok = slices.Contains([]string{"wav", "flac", "sph", "nist", "w64"}, value)
		case len(files) == 0: // anything else is about the input: it overrides its header
			ok = false
		case a == "-t":
			wav = value == "wav"
			ok = wav
		case a == "-r" || a == "--rate":
			c.rate, ok = frequency(value)
		case a == "-c" || a == "--channels":
			c.channels, ok = positive(value)
		case a == "-b" || a == "--bits":
			c.bits, ok = positive(value)
		case (a == "-e" || a == "--encoding") && strings.HasPrefix(value, "signed"):
			if c.bits == 0 {
				c.bits = 32
			}
		default:
			ok = false
		}
		if !ok || used > len(args) {
			return c, false
		}
		args = args[used:]
	}
	if len(files) != 2 || files[1] != "-" || !wav || !c.effects(args) {
		return c, false
	}
	c.file = files[0]
	return c, true
}

// effects reads those of sox, a word and a number each.
func (c *command) effects(args []string) (ok bool) {
	for ; len(args) > 0; args = args[2:] {
		if len(args) < 2 {
			return false
		}
		switch args[0] {
		case "remix":
			if c.channel != 0 {
				return false
			}
			c.channel, ok = positive(args[1])
		case "rate":
			c.rate, ok = frequency(args[1])
		case "channels":
			c.channels, ok = positive(args[1])
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// frequency is a rate such as 16000, 16k or 22.05k.
func frequency(text string) (int, bool) {
	number, kilo := strings.CutSuffix(text, "k")
	f, err := strconv.ParseFloat(number, 64)
	if kilo {
		f *= 1000
	}
	if err != nil || !(f >= 1 && f < 1<<31) || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}

func positive(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}

// readFfmpeg reads ffmpeg -i IN -f wav -, which writes 16 bits unless it is told otherwise.
func readFfmpeg(args []string) (c command, ok bool) {
	c.bits = 16
	in, wav := "", false
	files, ok := take(args, func(args []string) int {
		value := ""
		if len(args) > 1 {
			value = args[1]
		}
		ok := true
		switch args[0] {
		case "-y", "-nostdin", "-hide_banner", "-vn":
			return 1
		case "-v", "-loglevel", "-threads":
		case "-i":
			ok = in == "" && value != ""
			in = value
		case "-f":
			wav = value == "wav"
			ok = wav && in != ""
		case "-acodec", "-c:a", "-codec:a":
			bits := map[string]int{"pcm_s16le": 16, "pcm_s24le": 24, "pcm_s32le": 32}
			c.bits = bits[value]
			ok = c.bits != 0 && in != ""
		case "-ar":
			c.rate, ok = positive(value)
			ok = ok && in != ""
		case "-ac":
			c.channels, ok = positive(value)
			ok = ok && in != ""
		default:
			ok = false
		}
		if !ok {
			return -1
		}
		return 2
	})
	c.file = in
	return c, ok && wav && len(files) == 1 && (files[0] == "-" || files[0] == "pipe:1" || files[0] == "pipe:")
}
