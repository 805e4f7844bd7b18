package mpi

import "testing"

func TestALauncherIsKnownByItsVariables(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Launch
	}{
		{nil, Launch{Size: 1}},
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "PMIX_RANK": "3"}, Launch{4, 3, "Open MPI"}},
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}, Launch{1, 0, "Open MPI"}},
		{map[string]string{"PMI_SIZE": "2", "PMI_RANK": "1", "PMI_FD": "9"}, Launch{2, 1, "MPICH"}},
		{map[string]string{"SLURM_NTASKS": "8"}, Launch{Size: 1}}, // sbatch's script itself
		{map[string]string{"SLURM_NTASKS": "8", "PMIX_RANK": "5"}, Launch{8, 5, "Slurm"}},
		{map[string]string{"SLURM_NTASKS": "1", "PMIX_RANK": "0"}, Launch{Size: 1}},
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "many"}, Launch{Size: 1}},
	} {
		if got := Launched(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.env, got, c.want)
		}
	}
}
