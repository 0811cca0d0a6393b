/** The id of the area with the figures, which takes the focus when what had it is gone or left. */
export const FIGURES = 'figures'

/** The id of the bar of views over it. */
export const VIEW_BAR = 'views'
