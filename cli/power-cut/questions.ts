/**
 * The most bytes of questions about one image that the guest accepts (guest-scripts/programs/survivor). That is
 * enough for some 200,000 parts of a device.
 */
export const MOST_QUESTIONS = 4 * 2 ** 20;
