/*
 * style.h - the look of the HTML report: one style sheet, screen and paper.
 */
#ifndef SLUICE_STYLE_H
#define SLUICE_STYLE_H

extern const char style_sheet[];

#endif
