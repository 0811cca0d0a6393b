import { createTheme } from '@mantine/core'

const SYSTEM_FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

/** The kit's values at which text and controls pass the contrast check in light and dark (docs/figures.md). */
export const theme = createTheme({
  primaryShade: 8,
  autoContrast: true,
  luminanceThreshold: 0.179,
  fontFamily: SYSTEM_FONTS,
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    Tooltip: {
      defaultProps: {
        withArrow: true,
        fz: 12,
        multiline: true,
        maw: 320,
        openDelay: 500,
        events: { hover: true, focus: true, touch: false },
      },
    },
  },
})
