/* main.c - sluice: the controller and its command line. */
#include <stdio.h>

int main(void)
{
	puts("sluice " SLUICE_VERSION);
	return 0;
}
