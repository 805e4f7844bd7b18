# `make` lists the targets. Building and testing need Go alone, and no network once the modules are there; a target that needs more says so.
GO      ?= go
BIN     := bin/resnet
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZ    ?= 5s
FUZZED  ?= cmd configs internal
GUIDED  ?= -fuzz .
PYTHON  ?= python3
PEER    ?=
ENGINES ?= torch,torch-bf16,openvino,openvino-bf16,onnxruntime
ROUNDS  ?= 5
ALTERNATE = $(PYTHON) testdata/bench/alternate.py --binary $(BIN) --rounds $(ROUNDS) $(if $(PEER),--peer $(PEER),--engines $(ENGINES))
GOLANGCI := v2.15.0
GOVULNCHECK := v1.9.0
CROSS   ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
MCA     ?= llvm-mca-19

# The packages that start goroutines; internal/race_test.go compares. What one goroutine reads and digests, thousands of damaged files
# among it, is left out: the detector makes it ten times as long. So is what measures memory, of which the detector takes as much again.
CONCURRENT := ./cmd/resnet ./internal/datasets ./internal/datasets/speech/corpus ./internal/datasets/speech/extract ./internal/eval ./internal/experiment ./internal/graph/kernel ./internal/graph/schedule ./internal/serve ./internal/train ./internal/train/collective/mpi
SEQUENTIAL := Hostile|Cut|Truncat|Fuzz|Bomb|Damage|AKilled|Killed|Soak|EveryNumberOfAConfiguration|ACopyIsOther|EmbeddedImages|HighlyCompressed|FingerprintOfImages|ManyClassesAreReadInTime
# Nor what the detector makes long and other tests of the same goroutines do: of data sets, CIFAR-10, IDX and photographs stay; of networks,
# those that compare numbers of threads; of scores, a batcher and workers; of trainings and features, a stop, a resumption and a comparison.
SEQUENTIAL := $(SEQUENTIAL)|ImageNetPasses|EmbeddedSamplePasses|SeeTheSamePixels|AFingerprintSees|FingerprintOf|LimitTakes|OpenRefuses|FaultsName|HugeImages|AsPeopleHave|CompleteOrAbsent
SEQUENTIAL := $(SEQUENTIAL)|AnEnsembleOf|ScalesAreTheMean|TenCropsAre|ResponsesAre|KeptFeatures|FeaturesOfSomethingElse|FeaturesDoNot|OtherWeightsHave|ADiagnosisIs|WithoutItsData|AnEstimateCounts|AProfileHas|FrozenLayersStay
SEQUENTIAL := $(SEQUENTIAL)|TestGroupGrad|HaveTheSameBitsEverywhere|MatrixProducts|MatchesTape|MatchTheTape|MatchesTheTape|TheScheduleIsAMachine/[02]|/./tape
# What cmd/resnet starts goroutines for: signals, servers, waiting.
ATTENDING := Signal|Serve|Wait|GivesUp|IsSaved

.DEFAULT_GOAL := help
.PHONY: help build build-mpi test-mpi demo lesson rename test test-long test-purego test-arm64 test-arm64-long test-race test-browser soak lint generate docs check-generate mca fuzz bench bench-peer bench-peer-variants bench-finetune bench-serve parity cross check-systems release check-release sample clean outdated vulnerabilities fuzz-nightly fuzz-corpus mutants hostile

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

build: ## build bin/resnet, a static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/resnet

build-mpi: ## build bin/resnet-mpi, which shares a training among processes that mpirun starts; the MPI library is opened when it runs
	CGO_ENABLED=0 $(GO) build -tags mpi -trimpath -ldflags '$(LDFLAGS)' -o bin/resnet-mpi ./cmd/resnet

test-mpi: build-mpi ## the same bytes on any number of ranks, faults, launchers; skipped without mpirun
	CGO_ENABLED=0 $(GO) test -tags mpi -count=1 -timeout 20m ./internal/train/collective/mpi ./cmd/resnet -run 'MPI|LauncherIs|LauncherOfOne'

demo: build ## plain against residual on embedded images, about a minute
	$(BIN) quickstart

lesson: build ## train and measure what docs/lesson shows (a few minutes), and write its page
	$(BIN) lesson measure --out bin/lesson
	cp bin/lesson/lesson.json docs/lesson/measured.json
	cp bin/lesson/lesson.html docs/lesson/index.html

test: ## all tests, offline, under three minutes on two cores
	$(GO) test -short ./...

test-long: ## the same with the long ones: the largest networks, fuller fault injection
	$(GO) test -timeout 30m ./...

# The tape is plain Go in any case, and the packages that are not here know no kernels.
NETS := -run 'PyTorchs|Torchvision' ./internal/blocks

test-purego: ## the numeric packages without assembly
	$(GO) test -short -tags purego ./internal/graph/kernel/... ./internal/graph/schedule
	$(GO) test -short -tags purego -skip '/./tape' $(NETS)

# What does not depend on the processor and is slow under the emulator: clocks, how threads share the work, the tape, twenty steps where one
# step of the same networks is compared by value, and units of several images. A night has time for all.
PORTABLE := ProfileTimes|ATraceIs|ThreadsDoNotChangeABit|DivisionsDoNotChangeABit|StepsReadAndWrite|TestTheScheduleIsAMachine/1|TestAMachineOfBFloat16|TestTrainingInBFloat16|TestTwentySteps|TestScheduleMatchesTape/./19$$|/./tape
ARM64 := GOARCH=arm64 CGO_ENABLED=0 $(GO) test -short -timeout 120m -exec qemu-aarch64

test-arm64: ## what NEON computes: kernels, schedules, networks by value, under Debian's qemu-user
	$(ARM64) -skip '$(PORTABLE)' ./internal/graph/kernel/... ./internal/graph/schedule
	$(ARM64) -skip '$(PORTABLE)' $(NETS)

test-arm64-long: ## all of the numeric packages for arm64
	$(ARM64) ./internal/graph/kernel/... ./internal/graph/schedule/... ./internal/graph/weights/... ./internal/blocks/...

# The path of the module stands in go.mod, in imports and in the linter's rules, and nowhere else.
MODULE_NOW = $(shell $(GO) list -m)
rename: ## gives the module the path under which it is published: make rename MODULE=github.com/you/resnet
	@test -n "$(MODULE)" || { echo 'make rename MODULE=github.com/you/resnet' >&2; exit 2; }
	git ls-files '*.go' .golangci.yml '*/go.mod' | xargs sed -i -E \
		's#"$(MODULE_NOW)/#"$(MODULE)/#; s#^(\t)"$(MODULE_NOW)"$$#\1"$(MODULE)"#; s#(pkg: |module-path: |^module )$(MODULE_NOW)\b#\1$(MODULE)#'
	$(GO) mod edit -module $(MODULE)
	gofmt -w $$(git ls-files '*.go')
	$(GO) build ./...

test-race: ## the packages that start goroutines under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m -skip '$(SEQUENTIAL)' . $(filter-out ./cmd/resnet,$(CONCURRENT))
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m -run '$(ATTENDING)' ./cmd/resnet

hostile: ## the memory that hostile files take, those of DIR=FOLDER too, as a table
	$(GO) test -short -count 1 -timeout 60m -run TestHostileFilesStayWithinTheirBounds -v ./cmd/resnet -args -hostile "$(DIR)"

soak: ## 50 kills of each command that writes much, four processes at once; ten minutes
	RESNET_SOAK=50 $(GO) test -count 1 -timeout 15m -v -run '^TestSoak' ./cmd/resnet ./internal/datasets

lint: ## golangci-lint with .golangci.yml; the first run fetches and builds it, which takes minutes
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run --build-tags mpi ./cmd/resnet ./internal/train/collective/...

# -e: a module whose list of versions the proxy does not give is passed over.
outdated: ## the modules of the program and its tests that have a newer version (needs the network)
	@$(GO) list -m -e -u -f '{{with .Update}}{{$$.Path}} {{$$.Version}} -> {{.Version}}{{if $$.Indirect}} (indirect){{end}}{{end}}' \
		$$($(GO) list -deps -test -f '{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}' ./... | sort -u) | grep . || echo "all are current"

vulnerabilities: ## govulncheck: known vulnerabilities in code that the program calls (needs the network)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./cmd/resnet

generate: ## write the assembly kernels from internal/graph/kernel/_asm
	cd internal/graph/kernel/_asm && $(GO) run . -out ../kernels_amd64.s -stubs ../stubs_amd64.go -pkg kernel
	cd internal/graph/kernel/_asm && $(GO) run ./arm64 -out ../kernels_arm64.s -stubs ../stubs_arm64.go

docs: ## write docs/reference from the commands and keys of the program
	$(GO) run ./cmd/resnet generate --reference docs/reference

check-generate: ## prove that the committed assembly is what the generators write, and that NEON's encodings are GNU's
	rm -f internal/graph/kernel/kernels_amd64.s internal/graph/kernel/stubs_amd64.go internal/graph/kernel/kernels_arm64.s internal/graph/kernel/stubs_arm64.go
	$(MAKE) generate
	git diff --exit-code -- internal/graph/kernel
	cd internal/graph/kernel/_asm && $(GO) test ./...

mca: ## simulate NEON's inner loops on four processors and write the table of docs/neon.md (needs llvm-mca of LLVM 19)
	cd internal/graph/kernel/_asm && $(GO) run ./arm64 -mca $(MCA) -table ../../../../docs/neon.md

test-browser: build ## reports, live pages and the server's page in headless Chromium (needs node, npm and chromium)
	cd testdata/browser && npm ci --no-audit --no-fund --loglevel=error
	rm -rf bin/compared && $(BIN) compare plain-vs-residual --config quickstart --depths 8,14 --set train.epochs=4 --set data.limit=1500 --out bin/compared
	rm -rf bin/paper && $(BIN) compare runs testdata/runs/fig6/*/ --out bin/paper > /dev/null
	rm -rf bin/swept && $(BIN) compare sweep --config quickstart --vary train.schedule.rate=0.1,0.02 --seeds 1,2 --set model.depth=8 --set train.epochs=2 --set data.limit=1500 --set train.schedule.drop.at_epochs=[] --out bin/swept > /dev/null
	rm -rf bin/drawings && mkdir -p bin/drawings && for net in resnet34 resnet50a bn-inception googlenet prelu-net-a wrbn; do \
		$(BIN) models show $$net --svg > bin/drawings/$$net.svg || exit 1; done
	cd testdata/browser && REPORT=../../bin/compared/report.html FIGURE6=../../bin/paper/report.html SWEEP=../../bin/swept/report.html DRAWINGS=../../bin/drawings npm test
	rm -rf bin/run && $(BIN) train --config quickstart --set model.depth=14 --set train.epochs=3 --set data.limit=1500 --set train.schedule.drop.at_epochs=[2] --run bin/run > /dev/null
	cd testdata/browser && RUN=../../bin/run RESNET=../../$(BIN) node --test run.test.mjs live.test.mjs
	$(BIN) serve testdata/classifier/fashion8.safetensors --listen 127.0.0.1:18080 & server=$$!; \
		cd testdata/browser && SERVED=http://127.0.0.1:18080/ node --test serve.test.mjs; status=$$?; kill $$server; exit $$status
	$(BIN) runs report bin/compared/plain8-seed1 > /dev/null
	$(BIN) lesson bin/compared --port 18081 & server=$$!; \
		cd testdata/browser && LESSON=http://127.0.0.1:18081/ node --test lesson.test.mjs; status=$$?; kill $$server; exit $$status

# GUIDED has what a target calls compiled to count where it goes, without which inputs are changed blindly: of use for seconds and more.
fuzz: ## every fuzz target for FUZZ (5s); a failing input is kept in testdata/fuzz of its package
	GO=$(GO) testdata/fuzz.sh $(FUZZ) '$(GUIDED)' $(FUZZED)

fuzz-nightly: ## every fuzz target for 30 s, half an hour in all
	$(MAKE) fuzz FUZZ=30s

fuzz-corpus: ## take what fuzzing found and reaches new code into testdata/fuzz of each package
	mkdir -p bin && $(GO) run ./testdata/corpus

mutants: ## take guards away one at a time: each needs a test that fails (about ten minutes)
	$(GO) run ./testdata/mutants

bench: build ## the speed of training, inference and kernels on this machine
	$(BIN) bench peak
	$(BIN) bench conv
	for a in resnet20 resnet56 resnet110; do $(BIN) bench train --arch $$a --batch 128; $(BIN) bench infer --arch $$a --batch 128; done

bench-peer: build ## alternate with PyTorch, OpenVINO and ONNX Runtime, or with a script PEER: make bench-peer PYTHON=... [ENGINES=...] [ROUNDS=5]
	$(ALTERNATE) --arch resnet20,resnet56,resnet110
	$(ALTERNATE) --imagenet --arch resnet18,resnet50v1.5 --batch 16
	$(ALTERNATE) --imagenet --arch resnet18,resnet50v1.5 --batch 1 --mode infer

bench-finetune: build ## networks that are trained in part: against PyTorch, from kept features, and against all of it: make bench-finetune PYTHON=...
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --peer testdata/bench/torch_variants.py --imagenet --arch resnet18 --batch 16 --mode train --trainable head
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --peer testdata/bench/torch_variants.py --imagenet --arch resnet18 --batch 16 --mode train --trainable head --features
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --imagenet --arch resnet18 --batch 16 --mode train --trainable layer4

bench-peer-variants: build ## the same for grouped, wide, SE, ResNet-D and pre-activation networks: make bench-peer-variants PYTHON=...
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --peer testdata/bench/torch_variants.py --imagenet --arch resnext50_32x4d,wide_resnet50_2,seresnet50,resnet50d --batch 16
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --peer testdata/bench/torch_variants.py --imagenet --arch resnext50_32x4d,wide_resnet50_2 --batch 1 --mode infer
	$(PYTHON) testdata/bench/alternate.py --binary $(BIN) --peer testdata/bench/torch_variants.py --arch resnet18-3x3,wrn-16-8,preresnet164 --batch 64

# PHOTOS: a folder of photographs; CHECKPOINT: weights of resnet50v1.5.
bench-serve: build ## serve under load beside FastAPI and PyTorch: make bench-serve CHECKPOINT=... PHOTOS=... PYTHON=...
	$(GO) build -o bin/load ./testdata/load
	$(PYTHON) testdata/bench/serve.py --binary $(BIN) --load bin/load --checkpoint $(CHECKPOINT) --photos $(PHOTOS) --memory 10000

parity: ## make the fixtures of PyTorch's answers anew (needs PyTorch)
	$(PYTHON) testdata/parity/generate.py
	$(PYTHON) testdata/parity/generate_wrbn.py
	$(PYTHON) testdata/parity/variants.py
	$(PYTHON) testdata/parity/replicas.py

cross: ## build for every platform of CROSS
	@set -e; for t in $(CROSS); do \
		echo $$t; GOOS=$${t%/*} GOARCH=$${t#*/} CGO_ENABLED=0 $(GO) build -trimpath -o bin/cross/ ./cmd/resnet; \
	done

# What make build does not compile; stubs where there is no MPI are those of linux/amd64.
check-systems: ## check the types of all code and tests for the other platforms of CROSS, without compiling
	cd testdata/systems && $(GO) run . -tags mpi $(filter-out linux/amd64,$(CROSS))

RELEASE ?= $(CROSS)
release: ## archives with man pages and completions, and their checksums, in bin/release
	rm -rf bin/release
	$(GO) run ./testdata/release -version $(VERSION) -ldflags '$(LDFLAGS)' $(RELEASE)

check-release: ## the archives of bin/release: checksums, this machine's program, and under wine the Windows one
	testdata/release/check.sh

clean: ## remove what building leaves
	rm -rf bin
