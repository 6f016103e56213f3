// daxrepro: for 3s
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	for (int round = 0;; round++) {
		FILE *file = fopen("round", "w");
		if (!file)
			return 1;
		fprintf(file, "%d\n", round);
		fclose(file);
		usleep(1000);
	}
}
