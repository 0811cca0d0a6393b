import { ActionIcon, Tooltip } from '@mantine/core'
import { GLOSSARY } from '../../store/guide'
import { useActions } from '../use-app'

const HELP = 'Glossary, shortcuts, and six steps through the built-in layer.'

/** The way to everything that explains the page. */
export function HelpMenu() {
  const { showHelp } = useActions()
  return (
    <Tooltip label={HELP}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label="Help"
        aria-haspopup="dialog"
        aria-description={HELP}
        data-test="help"
        onClick={() => showHelp(GLOSSARY)}
      >
        ?
      </ActionIcon>
    </Tooltip>
  )
}
