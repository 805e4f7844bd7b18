package main

import "github.com/spf13/cobra"

// commands is the list of commands.
func commands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newQuickstartCmd(a),
		newTrainCmd(a),
		newFinetuneCmd(a),
		newEvalCmd(a),
		newPredictCmd(a),
		newEmbedCmd(a),
		newExplainCmd(a),
		newServeCmd(a),
		newLessonCmd(a),
		newRunsCmd(a),
		newCompareCmd(a),
		newReproduceCmd(a),
		newImportCmd(a),
		newWeightsCmd(a),
		newExportCmd(a),
		newModelsCmd(a),
		newDataCmd(a),
		newSpeechCmd(a),
		newBenchCmd(a),
		newConfigCmd(a),
		newDoctorCmd(a),
		newVersionCmd(a),
		newGenerateCmd(a),
	}
}
