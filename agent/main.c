/* main.c - sluice-agent: the program that syncs one client's account. */
#include <stdio.h>

int main(void)
{
	puts("sluice-agent " SLUICE_VERSION);
	return 0;
}
